"""Compiled loops of the fused form: blocks of neurons that stay in vector registers.

A block of neurons lies in vectors, one neuron a lane. Going over the sample, `forward` keeps the
block's weights in registers, and `backward` its gradient. What passes between them is one bit for
each neuron and point, whether the neuron was active, so that neither activations are stored nor
pre-activations computed twice: with the points' slopes r, the gradient of a neuron's weights w is
a g, g = Σ_i r_i x_i over the points where it was active, and that of its output weight a is w · g.

Compilers do not find such vectors in loops over arrays; therefore the few operations on them are
written in the compiler's own language here. What is compiled is kept on disk, and compiled again
when this file changes, which is why those operations and the loops that use them stand together.
"""

from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import njit, types
from numba.core import cgutils, config
from numba.extending import intrinsic, models, register_model

_operation: Any = intrinsic
_loop: Any = njit(nogil=True, cache=True)
# Sums over lanes may be reordered. No "nnan" and "ninf": divergence must come out as NaN or infinity.
_reordered_loop: Any = njit(nogil=True, cache=True, fastmath={"reassoc", "contract", "arcp", "nsz"})

_features = config.CPU_FEATURES or binding.get_host_cpu_features().flatten()  # type: ignore[attr-defined]
LANES, REGISTERS = (16, 32) if "+avx512f" in _features.split(",") else (8, 16)
ACTIVE = np.uint16 if LANES == 16 else np.uint8  # a bit for each lane

_FLOAT, _INDEX, _BITS = ir.FloatType(), ir.IntType(32), ir.IntType(LANES)
_VECTOR = ir.VectorType(_FLOAT, LANES)
_MASK = ir.VectorType(ir.IntType(1), LANES)
_ONE = (0,)


class Vectors(types.Type):
    """The compiler's type of a fixed number of vectors, which it can keep in registers."""

    def __init__(self, count: int) -> None:
        super().__init__(f"vectors({count} x {LANES})")
        self.count = count


@register_model(Vectors)
class _VectorsModel(models.PrimitiveModel):
    def __init__(self, manager: Any, of: Vectors) -> None:
        super().__init__(manager, of, ir.ArrayType(_VECTOR, of.count))


def vectors_of_a_block(features: int, neurons: int) -> int:
    """Vectors that share a pass over the sample: as many as registers, and neurons, can fill."""
    return max(1, min(4, REGISTERS * 3 // 4 // features, -(-neurons // LANES)))


@_operation
def _load(_: Any, array: Any, features: Any, block: Any) -> Any:
    """The first features × block vectors of an array."""
    count = features.count * block.count

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = _pointer(context, builder, signature.args[0], arguments[0], _VECTOR)
        return _pack(builder, [_read(builder, data, index) for index in range(count)])

    return Vectors(count)(array, features, block), generate


@_operation
def _store(_: Any, array: Any, values: Any) -> Any:
    """Write vectors to the beginning of an array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = _pointer(context, builder, signature.args[0], arguments[0], _VECTOR)
        for index in range(values.count):
            value = builder.extract_value(arguments[1], index)
            builder.store(value, builder.gep(data, [_INDEX(index)]), align=4)
        return context.get_dummy_value()

    return types.void(array, values), generate


@_operation
def _respond(_: Any, inner: Any, outer: Any, point: Any, active: Any, total: Any) -> Any:
    """Pass one point through a block: add the neurons' outputs to `total`, and note who is active."""
    block, features = outer.count, inner.count // outer.count

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        fused = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(_VECTOR, [_VECTOR] * 3),
            f"llvm.fmuladd.v{LANES}f32",
        )
        w, a = (_unpack(builder, argument) for argument in arguments[:2])
        types_ = signature.args
        x = _pointer(context, builder, types_[2], arguments[2], _FLOAT)
        bits = _pointer(context, builder, types_[3], arguments[3], _BITS)
        sums = _pointer(context, builder, types_[4], arguments[4], _VECTOR)
        output = _read(builder, sums, 0)
        z = [ir.Constant(_VECTOR, None)] * block
        for feature in range(features):
            value = _broadcast(builder, _read(builder, x, feature))
            for index in range(block):
                weight = w[feature * block + index]
                if feature == 0:
                    z[index] = builder.fmul(weight, value)
                else:
                    z[index] = builder.call(fused, [weight, value, z[index]])
        for index in range(block):
            # "Unordered": NaN counts as active, else diverged neurons would vanish from the output.
            is_active = builder.fcmp_unordered(">", z[index], ir.Constant(_VECTOR, None))
            builder.store(
                builder.bitcast(is_active, _BITS), builder.gep(bits, [_INDEX(index)]), align=1
            )
            more = builder.call(fused, [a[index], z[index], output])
            output = builder.select(is_active, more, output)
        builder.store(output, sums, align=4)
        return context.get_dummy_value()

    return types.void(inner, outer, point, active, total), generate


@_operation
def _accumulate(_: Any, gradient: Any, slope: Any, active: Any, features: Any) -> Any:
    """Add one point's slope, (features,), to the gradient of the neurons that were active there."""
    block = gradient.count // features.count

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        g = _unpack(builder, arguments[0])
        r = _pointer(context, builder, signature.args[1], arguments[1], _FLOAT)
        bits = _pointer(context, builder, signature.args[2], arguments[2], _BITS)
        slopes = [
            _broadcast(builder, _read(builder, r, feature)) for feature in range(features.count)
        ]
        for index in range(block):
            is_active = builder.bitcast(_read(builder, bits, index, align=1), _MASK)
            for feature, value in enumerate(slopes):
                old = g[feature * block + index]
                g[feature * block + index] = builder.select(
                    is_active, builder.fadd(old, value), old
                )
        return _pack(builder, g)

    return gradient(gradient, slope, active, features), generate


def _pointer(context: Any, builder: Any, of: Any, array: Any, element: Any) -> Any:
    data = context.make_array(of)(context, builder, array).data
    return builder.bitcast(data, element.as_pointer())


def _read(builder: Any, pointer: Any, index: int, align: int = 4) -> Any:
    return builder.load(builder.gep(pointer, [_INDEX(index)]), align=align)


def _broadcast(builder: Any, value: Any) -> Any:
    first = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, _INDEX(0))
    everywhere = ir.Constant(ir.VectorType(_INDEX, LANES), [0] * LANES)
    return builder.shuffle_vector(first, first, everywhere)


def _pack(builder: Any, vectors: list[Any]) -> Any:
    packed = ir.Constant(ir.ArrayType(_VECTOR, len(vectors)), ir.Undefined)
    for index, vector in enumerate(vectors):
        packed = builder.insert_value(packed, vector, index)
    return packed


def _unpack(builder: Any, packed: Any) -> list[Any]:
    return [builder.extract_value(packed, index) for index in range(packed.type.count)]


def size(number: int) -> tuple[int, ...]:
    """A number as the length of a tuple: the compiler then knows it, and compiles for each anew."""
    return (0,) * number


@_loop
def _forward(inner, outer, x, active, sums, features, block):  # type: ignore[no-untyped-def]
    w = _load(inner, features, block)
    a = _load(outer, _ONE, block)
    for i in range(len(x)):
        _respond(w, a, x[i], active[i], sums[i])


@_loop
def _backward(slopes, active, gradient, features, block):  # type: ignore[no-untyped-def]
    gradient[:] = 0
    g = _load(gradient, features, block)
    for i in range(len(slopes)):
        g = _accumulate(g, slopes[i], active[i], features)
    _store(gradient, g)


@_loop
def respond(inner, outer, x, active, sums, features, block):  # type: ignore[no-untyped-def]
    """Add the outputs of the neurons of a half, lane by lane, to `sums`.

    Args:
        inner: (blocks, features, neurons of a block)
        outer: (blocks, neurons of a block)
        x: (n, features)
        active: where to write who is active, (1 or blocks, n, vectors of a block); one for each block
            if they are to be kept.
        sums: (n, LANES)
        features: their number as `size`.
        block: number of vectors of a block, as `size`.
    """
    for k in range(len(outer)):
        _forward(inner[k], outer[k], x, active[k % len(active)], sums, features, block)


@_reordered_loop
def descend(  # type: ignore[no-untyped-def]
    inner,
    outer,
    offset,
    x,
    y,
    active,
    sums,
    scale,
    rate,
    offset_rate,
    power,
    epochs,
    features,
    block,
):
    """Train for some epochs.

    Args:
        inner: (2 halves, blocks, features, neurons of a block)
        outer: (2, blocks, neurons of a block)
        offset: what the output's biases add to all outputs, (1,)
        x: (n, features)
        y: (n,)
        active: as `respond` writes it for the weights as they are, and so again at the end,
            (2, 1 or blocks, n, vectors of a block).
        sums: likewise, (2, n, LANES).
        scale: outputs are scale × sums + offset.
        rate: step, times scale, over n.
        offset_rate: step of the offset, over n: the learning rate times the number of biases and the
            square of their factor; 0 if there are none.
        power: of the error in the loss.
        epochs: their number.
        features: their number as `size`.
        block: number of vectors of a block, as `size`.
    """
    kept = active.shape[1] == outer.shape[1]
    slopes = np.empty_like(x)
    gradient = np.empty(inner.shape[2:], dtype=np.float32)
    a_gradient = np.empty(outer.shape[2], dtype=np.float32)
    spare = np.zeros_like(sums[0])
    for _ in range(epochs):
        slope_sum = np.float32(0)
        for i in range(len(y)):
            total = np.float32(0)
            for lane in range(sums.shape[2]):
                total += sums[0, i, lane] + sums[1, i, lane]
            error = scale * total + offset[0] - y[i]
            slope = error
            if power != 2:
                slope = np.float32(np.sign(error) * np.abs(error) ** (power - 1))
            slope_sum += slope
            for j in range(x.shape[1]):
                slopes[i, j] = slope * x[i, j]
        offset[0] -= offset_rate * slope_sum
        sums[:] = 0
        for half in range(2):
            for k in range(outer.shape[1]):
                w, a = inner[half, k], outer[half, k]
                bits = active[half, k if kept else 0]
                if not kept:
                    _forward(w, a, x, bits, spare, features, block)
                _backward(slopes, bits, gradient, features, block)
                a_gradient[:] = 0
                for j in range(len(w)):
                    for neuron in range(len(a)):
                        a_gradient[neuron] += w[j, neuron] * gradient[j, neuron]
                        w[j, neuron] -= rate * a[neuron] * gradient[j, neuron]
                for neuron in range(len(a)):
                    a[neuron] -= rate * a_gradient[neuron]
                _forward(w, a, x, bits, sums[half], features, block)
