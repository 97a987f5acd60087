"""How figures are written for people. The exact value stands beside them in the page (data-value)."""

_PREFIXES = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n")]
_SYMBOLS = {
    "bytes": "B",
    "seconds": "s",
    "joules": "J",
    "watts": "W",
    "bytes_per_second": "B/s",
    "square_millimetres": "mm²",
    "cycles": "cycles",
}


def scaled(value, symbol):
    """1003584, "B" -> "1.004 MB"."""
    if value == 0:
        return f"0 {symbol}"
    for factor, prefix in _PREFIXES:
        if abs(value) >= factor * 0.99995:
            return f"{value / factor:.4g} {prefix}{symbol}"
    return f"{value:.4g} {symbol}"


def shown(statistic):
    """A Statistic with its unit: 31,726 cycles; 1.004 MB; 3.884 W; 0.3762."""
    value, unit = statistic.value, statistic.unit
    symbol = _SYMBOLS.get(unit, "")
    if unit in ("bytes", "seconds", "joules", "watts", "bytes_per_second"):
        return scaled(value, symbol)
    text = f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
    return f"{text} {symbol}".rstrip()


def percent(share):
    """0.0597 -> "6.0 %", with two digits below one per cent."""
    text = 100 * share
    return f"{text:.2f} %" if text and abs(text) < 0.995 else f"{text:.1f} %"


def times(factor, more="more", fewer="fewer"):
    """ "2.09 times more", "7 % fewer", "" for as many: what factor = mine / other says."""
    up = factor > 1
    ratio = factor if up else 1 / factor
    if ratio < 1.005:
        return ""
    word = more if up else fewer
    return f"{100 * abs(factor - 1):.0f} % {word}" if ratio < 1.2 else f"{ratio:.2f} times {word}"
