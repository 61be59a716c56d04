"""Where the instructions go, function by function."""

from features import schema


def text(target, run, chosen) -> str:
    """Both phases: while the sound arrives, per hop; and after its last sample, in the worst clip."""
    hops = sum(len(sound) // schema.HOP for sound in chosen.sounds.values())
    lines = []
    for kind, per, unit in (("push", hops, "hop"), ("finish", len(run.regions), "answer")):
        found = run.functions[kind]
        total = sum(found.values())
        regions = [region for clip in run.regions for region in clip if region.kind == kind]
        worst = max(region.instructions for region in regions)
        slow = sum(region.slow for region in regions)
        lines += [
            f"{target}, {kind}: {total / per:,.0f} instructions per {unit}, {worst:,} in the worst; "
            f"slow operations {slow / per:,.1f} per {unit}, {max(r.slow for r in regions):,} in the worst"
        ]
        for name, count in found.most_common(30):
            lines.append(f"  {name:32} {count / per:>12,.0f} {100 * count / total:6.1f} %")
    return "\n".join(lines)
