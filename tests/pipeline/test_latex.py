"""Text as LaTeX: nothing unescaped, mathematics as mathematics."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initbias.pipeline.latex import GREEK, LOWERED, RAISED, SIGNS, latex


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("exponent, W_1 scaled", r"exponent, $W_{1}$ scaled"),
        ("boston_housing", r"boston\_housing"),
        ("σ_U", r"$\sigma _{U}$"),
        ("h_ini", r"$h_{\mathrm{ini}}$"),
        ("h^(1−2α)", r"$h^{1-2\alpha }$"),
        ("m^-e,", r"$m^{-e}$,"),
        ("95 % of x & y", r"95 \% of x \& y"),
        ("-0.2 [−0.3, 0.1]", r"$-0.2$ $[-0.3$, 0.1]"),
        ("λ_r(Λ) + λ_m(−Λ)", r"$\lambda _{r}(\Lambda )$ + $\lambda _{m}(-\Lambda )$"),
        ("‖U₂‖", r"$\Vert U{}_{2}\Vert $"),
        ("run-time", "run-time"),
        ("6.0e-06", r"$6.0\cdot 10^{-6}$"),
        ("[1e+05, e-5]", r"$[1\cdot 10^{5}$, e-5]"),
        ("n² < 10", r"$n{}^{2}$ $<$ 10"),
        ("(σ/n)^((2p+1)/(d+3))", r"$(\sigma /n)^{(2p+1)/(d+3)}$"),
    ],
)
def test_words_and_mathematics(text: str, written: str) -> None:
    assert latex(text) == written


SIGNS_USED = st.sampled_from([*GREEK, *SIGNS, *RAISED, *LOWERED, *"&%$#_{}~^\\ aA1().,-[]"])


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(SIGNS_USED, max_size=20).map("".join))
def test_any_text_can_be_set(text: str) -> None:
    """Dollars come in pairs, braces match, and no special sign or script stands outside of mathematics."""
    written = latex(text)
    bare = re.sub(r"\\textbackslash\{\}|\\text\w+\{\}|\\[&%$#_{}]", "", written)
    assert bare.count("$") % 2 == 0
    depth = 0
    for sign in bare:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0
    assert depth == 0
    outside = "".join(bare.split("$")[::2])
    assert not re.search(r"[&%#_{}~^\\]", outside)
    assert all(ord(sign) < 128 for sign in outside)
    # Two scripts of one letter are an error of LaTeX.
    assert not any(re.search(r"[_^]\{[^{}]*\}[_^]", inside) for inside in bare.split("$")[1::2])
