"""Where the instructions go, function by function, worst first."""

from speech_emotion.measure.firmware import Run

_NAMES = {"push": "hop", "finish": "answer"}


def text(name: str, run: Run, functions: int = 30) -> str:
    """Both phases, while the sound arrives and after its last sample: on average, and in the longest."""
    lines = []
    for kind, unit in _NAMES.items():
        regions = [region for clip in run.regions for region in clip if region.kind == kind]
        for what, found, count in (
            (f"mean {unit} of {len(regions)}", run.functions[kind], len(regions)),
            (f"longest {unit}", run.longest[kind], 1),
        ):
            total = sum(found.values())
            lines.append(f"{name}, {what}: {total / count:,.0f} instructions")
            for function, executed in found.most_common(functions):
                share = 100 * executed / total
                lines.append(f"  {function:32} {executed / count:>12,.0f} {share:6.1f} %")
    return "\n".join(lines)
