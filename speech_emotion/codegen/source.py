"""The model as C: ser_model.h, ser_model.c and ser_config.h from a `Plan`.

Tables come from emlearn: it flattens trees and prints nodes, leaves and layers. What it lacks is written
here: scaling, discriminants, quantising, numbers with all their digits, leaf bytes summed as integers, and
forests that look at more than the 127 columns of its own node. The code around the tables lies in `c/`.
"""

import hashlib
import math
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from string import Template
from typing import NamedTuple

import numpy as np

from speech_emotion import names
from speech_emotion.codegen import emlearn_parts as emlearn
from speech_emotion.codegen.pipeline import Forest, Network, Plan
from speech_emotion.errors import UserError
from speech_emotion.features import schema
from speech_emotion.model import profile
from speech_emotion.model.estimators import Int8Network, Int16Quantiser

MAX_LEAVES = 32767  # different ones: emlearn's nodes refer to them as int16
SIDE_BY_SIDE = 8  # outputs of an int8 layer that share the reading of an input, in c/int8_layers.c
WEIGHT_OFFSET = 128  # that makes an int8 a byte without sign, of every other output
_TEMPLATES = Path(__file__).resolve().parent / "c"


@dataclass(frozen=True)
class Source:
    """Contents of the three files that differ from model to model, and which of emlearn's headers they
    include."""

    config_h: str
    model_h: str
    model_c: str
    emlearn_headers: tuple[str, ...]


def write(plan: Plan, *, name: str, threshold: float = 0.0, hot_in_ram: bool = False) -> Source:
    """The C source of a plan. Pure: the same plan gives the same text. hot_in_ram: what a hop runs and reads
    is kept in RAM on an ESP32 too (embedded/src/ser_in_ram.h)."""
    body = _forest(plan) if isinstance(plan.model, Forest) else _network(plan)
    headers = tuple(re.findall(r'#include "(eml_\w+\.h)"', body))
    code = _top(plan, name) + body
    return Source(_config(plan, hot_in_ram), _header(plan, name, threshold, code), code, headers)


def columns_number(columns: Sequence[str], mean: np.ndarray, inverse: np.ndarray) -> int:
    """32 bits that name columns and the scale they are sent on: float32 mean, 1 / standard deviation."""
    digest = hashlib.sha256(",".join(columns).encode())
    digest.update(np.asarray(mean, "<f4").tobytes() + np.asarray(inverse, "<f4").tobytes())
    return int(digest.hexdigest()[:8], 16)


# --- what all models share -------------------------------------------------------------------


@cache
def _template(name):
    return Template((_TEMPLATES / name).read_text(encoding="utf-8"))


def fill(template: str, **words: object) -> str:
    """A file of `c/` with its words put in."""
    return _template(template).substitute(words)


def _config(plan, hot_in_ram):
    lines = [
        f"#define SER_WITH_{group.upper()} 0" for group in schema.GROUPS if group not in plan.groups
    ]
    if (kept := schema.mfccs_of(plan.columns)) < schema.MFCCS:
        lines.append(f"#define SER_MFCCS_KEPT {kept}")
    if not any(column.startswith("mfcc_delta2") for column in plan.columns):
        lines.append("#define SER_WITH_DELTA2 0")
    if not any(column.endswith("_kurtosis") for column in plan.columns):
        lines.append("#define SER_WITH_KURTOSIS 0")
    ram = (
        "\n/* What a hop runs and reads is kept in RAM: ser_in_ram.h. */\n#define SER_HOT_IN_RAM 1\n"
        if hot_in_ram
        else ""
    )
    return fill("config.h", off="\n".join(lines) or "/* none */", voice=_voice(plan), ram=ram)


def _room(plan):
    if not (isinstance(plan.model, Network) and plan.model.int8):
        return 0
    return sum(_rooms([len(plan.columns), *map(len, plan.model.biases)]))


def _header(plan, name, threshold, code):
    identifiers = names.c_identifiers(plan.labels)
    sizes = [len(text.encode()) for text in _as_printed(plan.labels)]
    return fill(
        "model.h",
        name=names.c_string(name),
        schema=schema.HASH,
        threshold=literal(threshold),
        count=len(plan.labels),
        labels="\n".join(f"#define SER_LABEL_{each} {i}" for i, each in enumerate(identifiers)),
        bytes=sum(sizes),
        longest=max(sizes),
        number=hashlib.sha256(f"{schema.HASH}{code}".encode()).hexdigest()[:8],
        room=_room(plan),
        columns=len(plan.columns),
        columns_number=f"{columns_number(plan.columns, plan.mean, plan.inverse):08x}",
    )


def _as_printed(labels):
    """The longer of the two ways in which ser_line.h writes each label."""
    return [
        max(names.serial_json(label), names.plotter(label), key=lambda text: len(text.encode()))
        for label in labels
    ]


def _top(plan, name):
    printed = [f"each({names.c_string(text)})" for text in _as_printed(plan.labels)]
    return fill(
        "head.c",
        name=names.c_comment(name),
        kind=plan.kind,
        columns=len(plan.columns),
        labels=", ".join(map(names.c_string, plan.labels)),
        printed=" \\\n    ".join(printed),
        places=array("columns", schema.places_of(plan.columns), "uint16_t"),
        mean=array("mean", plan.mean),
        inverse=array("inverse", plan.inverse),
        usual=_usual(plan),
        scale=_scale(plan),
    )


def _usual(plan):
    if not plan.knows_voices:
        return ""
    values = textwrap.wrap(", ".join(map(str, plan.usual.tolist())), 100)
    return fill("usual.c", values="\n".join(f"    {line}" for line in values))


def _voice(plan):
    if not plan.knows_voices:
        return ""
    return fill(
        "config_voice.h",
        id=profile.identity(plan.columns, plan.mean, plan.inverse, plan.usual),
        columns=len(plan.columns),
        numbers="\n".join(f"#define {name} {value}" for name, value in profile.C_NUMBERS.items()),
    )


def _scale(plan):
    if not plan.knows_voices:
        return fill("scale.c", limit=literal(plan.limit))
    return fill(
        "voice.c",
        whole=fill("whole.c"),
        steps=literal(profile.STEPS),
        far=literal(profile.FAR),
        scaled="" if _hears_steps(plan.model) else fill("scaled.c", unit=literal(profile.UNIT)),
    )


class _Digits(float):
    """A number that prints all its digits where emlearn's format asks for six decimals."""

    def __format__(self, spec):
        return str(np.float32(self))


def literal(value: float | np.floating) -> str:
    """As a float of C, with all its digits."""
    return f"{np.float32(value)!s}f"


def array(name: str, values, dtype: str = "float") -> str:
    """A constant table of C, a float with all its digits."""
    values = [_Digits(value) for value in np.ravel(values)] if dtype == "float" else values
    return _wrapped(emlearn.cgen.array_declare(name, values=values, dtype=dtype))


def _wrapped(declaration, width=110):
    """emlearn's one-line array on lines that people can read."""
    head, _, values = declaration.partition("{ ")
    values, _, tail = values.rpartition(" }")
    if len(declaration) <= width:
        return declaration
    lines, line = [], ""
    for value in values.split(", "):
        if line and len(line) + len(value) + 2 > width - 4:
            lines.append(line)
            line = ""
        line += f"{value}, "
    lines.append(line.rstrip(", "))
    return f"{head}{{\n" + "\n".join("    " + each.rstrip() for each in lines) + f"\n}}{tail}"


# --- forests ---------------------------------------------------------------------------------


def _forest(plan):
    forest: Forest = plan.model
    nodes, roots, leaves = _flatten(forest, len(plan.labels))
    values = len(forest.offset)
    table = emlearn.trees.generate_c_nodes(nodes, "nodes", dtype="int16_t").replace(" \n}", "\n}")
    table = table.replace("{ ", "{").replace(" }", "}").replace("\n  {", "\n    {")
    table = table.replace(" = {\n  {", " = {\n    {")
    return fill(
        "forest.c",
        trees=len(roots),
        values=values,
        discriminants=_discriminants(plan),
        offset=array("offset", forest.offset),
        steps=array("steps", forest.scale),
        whole=fill("whole.c"),
        nodes=table,
        roots=array("roots", roots, "int32_t"),
        labels=len(plan.labels),
        leaves=array("leaves", np.ravel(leaves), "uint8_t"),
        discriminate="\n    discriminate(values, values + COLUMNS);" if plan.discriminants else "",
        limit=literal(Int16Quantiser.STEPS),
    )


def _discriminants(plan):
    linear = plan.discriminants
    if linear is None:
        return ""
    return fill(
        "discriminants.c",
        scores=len(linear.bias),
        weights=array("weights", linear.weights),
        bias=array("bias", linear.bias),
    )


def _flatten(forest, classes):
    """emlearn's nodes, roots and leaf bytes, each leaf once.

    emlearn flattens each tree; joining them and finding equal leaves is done here, because its own way
    takes time quadratic in their number.
    """
    nodes: list[list[float]] = []
    roots: list[int] = []
    leaves: dict[bytes, int] = {}
    for tree in forest.trees:
        tree_nodes, tree_leaves = emlearn.trees.flatten_tree(
            tree, leaf="probabilities", leaf_bits=8
        )
        numbers = [leaves.setdefault(leaf.tobytes(), len(leaves)) for leaf in tree_leaves]
        first = len(nodes)
        roots.append(first)
        for feature, value, *children in tree_nodes:
            placed = [c + first if c >= 0 else -numbers[-c - 1] - 1 for c in children]
            nodes.append([feature, value, *placed])
    if len(leaves) > MAX_LEAVES:
        raise UserError(
            f"forest with {len(leaves)} different leaves: {MAX_LEAVES} can be exported; "
            "train fewer or smaller trees"
        )
    if max(max(left, right) - i for i, (_, _, left, right) in enumerate(nodes)) > 32767:
        raise UserError("forest with a tree of more than 32767 nodes: train smaller trees")
    return nodes, roots, np.frombuffer(b"".join(leaves), np.uint8).reshape(-1, classes).tolist()


# --- networks --------------------------------------------------------------------------------


def _network(plan):
    network: Network = plan.model
    widths = [len(plan.columns), *(len(biases) for biases in network.biases)]
    columns, entry = "features", "entry.c"
    if network.int8:
        columns, entry = ("room", "entry_voice.c") if plan.knows_voices else (columns, "entry_in.c")
    return fill(
        "network.c",
        layers=int8_layers(network) if network.int8 else _float_layers(network),
        power=fill("power.c"),
        normalise=fill("softmax.c" if widths[-1] > 1 else "logistic.c"),
        entry=fill(entry, calls=calls(network, widths, columns, room=network.int8)),
    )


def calls(
    network: Network, widths: Sequence[int], columns: str = "features", *, room: bool = False
) -> str:
    """The lines of C that take `columns` as `scaled` has them through the layers, and their sums through
    `normalise`. widths: of inputs and of every layer's outputs. room: an int8 network has its memory from who
    asks, `room`, which may hold the columns."""
    lines = (
        _int8_calls(network, widths, columns, room)
        if network.int8
        else _float_calls(network, widths, columns)
    )
    lines.append("normalise(sums, probabilities);")
    return "\n".join("    " + call for call in lines)


def _float_calls(network, widths, columns):
    last = len(widths) - 2
    widest = max(widths)
    lines = [
        f"float values[{widest}], sums[{widest}];",
        f"for (int i = 0; i < {widths[0]}; i++) {{",
        f"    values[i] = scaled({columns}, i);",
        "}",
    ]
    source, target = "values", "sums"
    for layer, (inputs, outputs) in enumerate(pairwise(widths)):
        activation = "Relu" if network.relu and layer < last else "Identity"
        lines.append(
            f"(void)eml_net_forward({source}, {inputs}, layer_{layer}_weights, layer_{layer}_biases, "
            f"EmlNetActivation{activation}, {target}, {outputs});"
        )
        source, target = target, source
    if source != "sums":
        lines.append(f"memcpy(sums, values, {widths[-1]} * sizeof *sums);")
    return lines


def _rooms(widths):
    """How many whole numbers an int8 network has in memory: inputs of every other layer share theirs; a layer
    hears one and speaks into the other, which begins at a whole word."""
    first, second = (max(widths[:-1][which::2], default=0) for which in (0, 1))
    return [first + first % 2, second]


def _hears_steps(network):
    """Whether a voice's steps are the first layer's inputs as they stand: then nothing is to be done."""
    steps = np.arange(-profile.TOP, profile.TOP + 1)
    scaled = steps.astype(np.float32) * profile.UNIT * np.float32(network.steps[0])
    limit = Int8Network.INPUT_STEPS
    return np.array_equal(np.rint(np.clip(scaled, -limit, limit)), steps)


def _int8_calls(network, widths, columns, room):
    last = len(widths) - 2
    limit = literal(Int8Network.INPUT_STEPS)
    lowest = literal(0.0 if network.relu else -Int8Network.INPUT_STEPS)
    first, second = _rooms(widths)
    lines = [f"int16_t heard_0[{first}];", *([f"int16_t heard_1[{second}];"] if second else [])]
    if room:
        lines = ["int16_t *const heard_0 = room;"]
        lines += [f"int16_t *const heard_1 = room + {first};"] if second else []
    lines += [f"float sums[{widths[-1]}];"]
    if columns != "room" or not _hears_steps(network):
        lines += [
            f"for (int i = 0; i < {widths[0]}; i++) {{",
            f"    heard_0[i] = nearest(clip(scaled({columns}, i) * {literal(network.steps[0])}, {limit}));",
            "}",
        ]
    for layer, outputs in enumerate(widths[1:]):
        blocks = _blocks(network.weights[layer])
        heard, given = widths[layer] // len(blocks), outputs // len(blocks)
        padded = heard
        if layer == 0 and len(blocks) == 1 and heard % 2:
            # there is room for one more, and weights lie by pairs
            lines.append(f"heard_0[{heard}] = 0;")
            padded += 1
        weights = 0
        for i, block in enumerate(blocks):
            for part in _parts(block):
                hears_all = part.deaf_from == heard
                deaf = (padded, padded) if hears_all else (part.deaf_from, part.deaf_to)
                place = i * given + part.first
                tables = ", ".join(
                    _at(f"layer_{layer}_{table}", at)
                    for table, at in (("weights", weights), ("biases", place), ("factors", place))
                )
                steps, *to = (
                    (
                        literal(network.steps[layer + 1]),
                        _at(f"heard_{1 - layer % 2}", place),
                        "NULL",
                    )
                    if layer < last
                    else (literal(1), "NULL", _at("sums", place))
                )
                function = "add" if layer else "add_first"
                lines.append(
                    f"{function}({_at(f'heard_{layer % 2}', i * heard)}, {padded}, {deaf[0]}, {deaf[1]}, "
                    f"{tables}, {part.last - part.first}, {lowest}, {steps}, {', '.join(to)});"
                )
                weights += _heard(block, part).size
    return lines


def _at(name, place):
    return f"{name} + {place}" if place else name


class _Part(NamedTuple):
    """Outputs first to last of a block, which do not hear its inputs deaf_from to deaf_to; last and deaf_to
    are not included."""

    first: int
    last: int
    deaf_from: int
    deaf_to: int


_WORTH_LEAVING_OUT = 16  # inputs


def _parts(block):
    """What of a block hears the same inputs: some of the networks side by side may go without columns that
    the others take. Outputs by eights, inputs by twos, as weights lie."""
    inputs, outputs = block.shape
    pairs = inputs // 2
    found: list[_Part] = []
    for first in range(0, outputs, SIDE_BY_SIDE):
        last = min(first + SIDE_BY_SIDE, outputs)
        heard = block[: 2 * pairs, first:last].any(axis=1)
        hears = np.flatnonzero(heard.reshape(pairs, 2).any(axis=1))
        ends = np.concatenate([[-1], hears, [pairs]])
        widest = int(np.argmax(np.diff(ends)))
        deaf_from, deaf_to = 2 * int(ends[widest] + 1), 2 * int(ends[widest + 1])
        if deaf_to - deaf_from < _WORTH_LEAVING_OUT:
            deaf_from = deaf_to = inputs
        if found and found[-1][2:] == (deaf_from, deaf_to):
            first = found.pop().first
        found.append(_Part(first, last, deaf_from, deaf_to))
    return found


def _heard(block, part):
    """As `_in_eights`, of a part of a block and the inputs that it hears."""
    silent = np.arange(part.deaf_from, part.deaf_to)
    return _in_eights(np.delete(block[:, part.first : part.last], silent, axis=0))


def _blocks(weights):
    """Blocks of equal size along the diagonal outside of which all weights are zero, those that take the
    least flash: networks side by side are left apart, as their zeros would cost as much as weights. Often one
    block."""
    found = []
    for count in range(1, math.gcd(*weights.shape) + 1):
        rows, columns = weights.shape[0] // count, weights.shape[1] // count
        if weights.shape == (rows * count, columns * count):
            blocks = [weights[i * rows :, i * columns :][:rows, :columns] for i in range(count)]
            if sum(map(np.count_nonzero, blocks)) == np.count_nonzero(weights):
                found.append(blocks)
    return min(found, key=lambda blocks: len(blocks) * _in_eights(blocks[0]).size)


def _float_layers(network):
    weights = [
        np.array([[_Digits(w) for w in row] for row in layer], object) for layer in network.weights
    ]
    biases = [[_Digits(b) for b in layer] for layer in network.biases]
    declared = emlearn.net.c_generate_layer_data(
        ["identity"] * len(weights), weights, biases, prefix="ser", include_constants=False
    )
    tables = "\n".join(_wrapped(each["code"].replace("ser_layer", "layer")) for each in declared)
    return fill("float_layers.c", tables=tables)


def int8_layers(network: Network) -> str:
    """Tables of a network in int8, and `add`, which passes numbers through one of its layers."""
    tables = []
    for layer, weights in enumerate(network.weights):
        tables += [
            array(
                f"layer_{layer}_weights",
                [
                    int(weight)
                    for block in _blocks(weights)
                    for part in _parts(block)
                    for weight in _heard(block, part).ravel()
                ],
                "SER_WORDS uint8_t",
            ),
            array(f"layer_{layer}_factors", network.factors[layer]),
            array(f"layer_{layer}_biases", network.biases[layer]),
        ]
    return fill(
        "int8_layers.c",
        tables="\n".join(tables),
        limit=literal(Int8Network.INPUT_STEPS),
        offset=WEIGHT_OFFSET,
        further=fill("int8_further.c") if len(network.weights) > 1 else "",
    )


def _in_eights(weights):
    """(groups, pairs of inputs, 4, 2, 2) uint8, from (inputs, outputs) int8: of eight outputs and two inputs,
    two outputs' weights of the one beside those of the other."""
    inputs, outputs = weights.shape
    pairs, groups = -(-inputs // 2), -(-outputs // SIDE_BY_SIDE)
    filled = np.zeros((2 * pairs, groups * SIDE_BY_SIDE), int)
    filled[:inputs, :outputs] = weights
    filled[:, ::2] += WEIGHT_OFFSET
    filled = filled.astype(np.uint8)
    return filled.reshape(pairs, 2, groups, SIDE_BY_SIDE // 2, 2).transpose(2, 0, 3, 1, 4)
