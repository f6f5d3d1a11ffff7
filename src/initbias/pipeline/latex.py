"""Plain text of tables and captions as LaTeX, with mathematics as mathematics."""

import re

GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "η": "eta", "θ": "theta",
    "κ": "kappa", "λ": "lambda", "μ": "mu", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "varphi",
    "χ": "chi", "ω": "omega", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi",
}  # fmt: skip
SIGNS = {
    "−": "-", "±": r"\pm ", "×": r"\times ", "·": r"\cdot ", "√": r"\surd ", "∞": r"\infty ", "→": r"\to ",
    "≤": r"\le ", "≥": r"\ge ", "<": "<", ">": ">", "≈": r"\approx ", "≠": r"\ne ", "∝": r"\propto ",
    "‖": r"\Vert ", "∇": r"\nabla ", "∑": r"\sum ", "∏": r"\prod ", "∂": r"\partial ", "ℓ": r"\ell ",
    "∈": r"\in ", "†": r"{}^{\dagger}", "ᵀ": r"{}^{\top}", "|": r"\vert ",
}  # fmt: skip
RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵖⁿᵐ", "0123456789+-pnm", strict=True))
LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋ₖₙᵢⱼ", "0123456789+-knij", strict=True))
SPECIAL = {sign: f"\\{sign}" for sign in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}
LETTER = rf"[A-Za-z{''.join(GREEK)}]"
SCRIPT = re.compile(
    r"([_^])(?:\(((?:[^()]|\([^()]*\))*)\)|(-?[^\W_]+))"
)  # of a letter: a group, which may hold groups, or letters and digits
MATHEMATICS = re.compile(
    rf"[{''.join([*GREEK, *(re.escape(sign) for sign in SIGNS), *RAISED, *LOWERED])}]"
    rf"|(?<!\w){LETTER}[_^]|\)\^|\d\^|(?<![\w.])-\d"
)
POWER = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)e\+?(-?)0*(\d+)(?!\w)")
AROUND = re.compile(r"^(.*?)([,;:.]*)$", re.DOTALL)


def latex(text: str) -> str:
    """Text with its special signs escaped; words that are mathematics stand between dollars."""
    words = (POWER.sub(r"\1·10^(\2\3)", word) for word in re.split(r"(\s+)", text))
    return "".join(
        _mathematics(word) if MATHEMATICS.search(word) else _escaped(word) for word in words
    )


def _escaped(word: str) -> str:
    return "".join(SPECIAL.get(sign, sign) for sign in word)


def _mathematics(word: str) -> str:
    """A word such as h^(1−2α) or σ_U, without the punctuation at its end."""
    body, end = AROUND.fullmatch(word).groups()  # type: ignore[union-attr]  # it always matches
    scripts = [
        (match.span(), match.group(1), match.group(2) or match.group(3))
        for match in SCRIPT.finditer(body)
    ]
    written, last = "", 0
    for (first, after), mark, content in scripts:
        base = _signs(body[last:first])
        nobody = (
            "{}" if not base or base.endswith("}") else ""
        )  # a letter takes one script of a kind
        written += f"{base}{nobody}{mark}{{{_signs(content)}}}"
        last = after
    return f"${written}{_signs(body[last:])}${_escaped(end)}"


def _signs(text: str) -> str:
    """Single signs within mathematics; words of several letters stand upright."""
    parts = re.split(r"([A-Za-z]{2,})", text)
    return "".join(
        rf"\mathrm{{{part}}}" if re.fullmatch(r"[A-Za-z]{2,}", part) else "".join(map(_sign, part))
        for part in parts
    )


def _sign(sign: str) -> str:
    if sign in GREEK:
        return f"\\{GREEK[sign]} "
    if sign in RAISED:
        return f"{{}}^{{{RAISED[sign]}}}"
    if sign in LOWERED:
        return f"{{}}_{{{LOWERED[sign]}}}"
    return SIGNS.get(sign) or SPECIAL.get(sign, sign)
