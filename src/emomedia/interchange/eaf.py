"""ELAN's annotation files: times in whole milliseconds, tiers that hang on other tiers.

The format: https://www.mpi.nl/tools/elan/EAF_Annotation_Format_3.0_and_ELAN.pdf.  XML is read without
document types, so no entity can be declared, let alone expanded.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby, pairwise
from pathlib import Path
from xml.parsers import expat

from ..descriptions import description_error, show
from ..errors import DescriptionError
from ..schema.values import MAX_SECONDS
from ..session import SIDES
from .tiers import DIALOGUES, Interval, Tier

TICK = Fraction(1, 1000)
"""ELAN counts milliseconds."""

_LAST = MAX_SECONDS * 1000

_DEPTH = 20
"""How far a tier may hang below another one."""

_MIME_TYPES = {".mp4": "video/mp4", ".mov": "video/quicktime", ".mpg": "video/mpeg"}
"""ELAN's names for media; all others are unknown to it and found out when they are opened."""

_TYPES = {"turns": None, "words": None, "notes": "Symbolic_Association"}
"""Linguistic types by what binds their annotations to those of a tier above."""

_PARENT_OF = {
    **{f"{side} {kind}": side for side in SIDES for kind in ("backchannels", "emotions", "data")},
    "dialogue topics": DIALOGUES,
    "dialogue emotions": DIALOGUES,
}


@dataclass(frozen=True, slots=True)
class Media:
    """A take that ELAN plays beside the tiers; `origin` is its time in ms at time zero of the tiers."""

    path: str
    origin: int


def write(tiers: Sequence[Tier], media: Sequence[Media] = ()) -> str:
    """An annotation document of `tiers`, whose ticks are milliseconds."""
    root = ET.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "emomedia", "DATE": "2000-01-01T00:00:00+00:00", "FORMAT": "3.0", "VERSION": "3.0",
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
        },
    )  # fmt: skip
    header = ET.SubElement(root, "HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"})
    for file in media:
        ET.SubElement(header, "MEDIA_DESCRIPTOR", _media(file))
    slots = _slots(ET.SubElement(root, "TIME_ORDER"), [tier for tier in tiers if tier.name not in _PARENT_OF])
    last_id = 0
    named: dict[str, dict[tuple[int, int], str]] = {}
    for tier in tiers:
        ids = named[tier.name] = {}
        element = ET.SubElement(root, "TIER", _tier_attributes(tier.name))
        for interval in tier.intervals:
            last_id += 1
            ids[interval.place] = f"a{last_id}"
            if tier.name in _PARENT_OF:
                place = {"ANNOTATION_REF": named[_PARENT_OF[tier.name]][interval.place]}
            else:
                place = {f"TIME_SLOT_REF{n}": slots[tier.name, interval.place, n] for n in (1, 2)}
            _annotate(element, f"a{last_id}", interval.label, place)
    for name, constraint in _TYPES.items():
        _type(root, name, constraint)
    text = "Symbolic association, one annotation for each of the tier above"
    ET.SubElement(root, "CONSTRAINT", {"DESCRIPTION": text, "STEREOTYPE": "Symbolic_Association"})
    ET.SubElement(header, "PROPERTY", {"NAME": "lastUsedAnnotationId"}).text = str(last_id)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _media(file: Media) -> dict[str, str]:
    """A link; ELAN looks for it at its address, then beside the document."""
    address = f"file://{file.path}" if file.path.startswith("/") else file.path
    kind = _MIME_TYPES.get(Path(file.path).suffix.lower(), "unknown")
    link = {"MEDIA_URL": address, "MIME_TYPE": kind, "RELATIVE_MEDIA_URL": f"./{Path(file.path).name}"}
    return link | ({"TIME_ORIGIN": str(file.origin)} if file.origin else {})


def _slots(element: ET.Element, tiers: Sequence[Tier]) -> dict[tuple[str, tuple[int, int], int], str]:
    """The names of the times of all intervals, which belong to one each, so that ELAN moves them alone."""
    edges = [
        (interval.place[n - 1], tier.name, interval.place, n)
        for tier in tiers
        for interval in tier.intervals
        for n in (1, 2)
    ]
    names = {}
    for number, (time, tier_name, place, n) in enumerate(sorted(edges), start=1):
        names[tier_name, place, n] = f"ts{number}"
        slot = {"TIME_SLOT_ID": f"ts{number}", "TIME_VALUE": str(time)}
        ET.SubElement(element, "TIME_SLOT", slot)
    return names


def _tier_attributes(name: str) -> dict[str, str]:
    parent = _PARENT_OF.get(name)
    kind = "notes" if parent else "words" if name.endswith(" words") else "turns"
    attributes = {"LINGUISTIC_TYPE_REF": kind, "TIER_ID": name} | ({"PARENT_REF": parent} if parent else {})
    participant = name.partition(" ")[0]
    return attributes | ({"PARTICIPANT": participant} if participant in SIDES else {})


def _annotate(tier: ET.Element, name: str, label: str, place: Mapping[str, str]) -> None:
    kind = "REF_ANNOTATION" if "ANNOTATION_REF" in place else "ALIGNABLE_ANNOTATION"
    element = ET.SubElement(ET.SubElement(tier, "ANNOTATION"), kind, {"ANNOTATION_ID": name, **place})
    ET.SubElement(element, "ANNOTATION_VALUE").text = label


def _type(root: ET.Element, name: str, constraint: str | None) -> None:
    kind = {"LINGUISTIC_TYPE_ID": name, "TIME_ALIGNABLE": str(constraint is None).lower()}
    kind |= {"GRAPHIC_REFERENCES": "false"} | ({"CONSTRAINTS": constraint} if constraint else {})
    ET.SubElement(root, "LINGUISTIC_TYPE", kind)


def read(data: bytes, source: Path) -> list[Tier]:
    """The tiers of a document; annotations that hang on others have their times.

    Raises
    ------
    DescriptionError
        It is no annotation document, or one that contradicts itself.
    """
    root = _parsed(data, source)
    if root.tag != "ANNOTATION_DOCUMENT":
        raise _broken(source, "an ELAN document", f"a document {show(root.tag)}")
    header = root.find("HEADER")
    units = "milliseconds" if header is None else header.get("TIME_UNITS", "milliseconds")
    if units != "milliseconds":
        raise _broken(source, "times in milliseconds", show(units))
    times = _times(root, source)
    elements = list(root.iter("TIER"))
    placed: dict[str, tuple[int, int]] = {}
    for element in elements:
        _place_aligned(element, times, placed, source)
    _place_hanging(elements, placed, source)
    return [_tier(element, placed, source) for element in elements]


def _broken(source: Path, expected: str, found: str) -> DescriptionError:
    remedy = "save it again in ELAN, or export it again"
    return description_error(source, "", expected=expected, found=found, remedy=remedy)


def _parsed(data: bytes, source: Path) -> ET.Element:
    """The root of an XML document without a document type; its depth is bounded."""
    builder, depth = ET.TreeBuilder(), 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEPTH:
            raise ValueError("elements nested without end")
        builder.start(name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name)

    def refuse(*_: object) -> None:
        raise ValueError("a document type")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
        return builder.close()
    except (expat.ExpatError, ValueError, LookupError, AssertionError) as error:
        raise _broken(source, "an ELAN document in XML", str(error)) from None


def _times(root: ET.Element, source: Path) -> dict[str, int]:
    """Milliseconds of each time slot; those without a time lie evenly between their neighbours."""
    slots = [(slot.get("TIME_SLOT_ID", ""), slot.get("TIME_VALUE")) for slot in root.iter("TIME_SLOT")]
    found: dict[str, int] = {}
    last, waiting = 0, list[str]()
    for name, value in slots:
        if value is None:
            waiting.append(name)
            continue
        plain = value.isascii() and value.isdecimal() and len(value) < 13
        if not plain or int(value) > _LAST:
            raise _broken(source, f"a TIME_VALUE in milliseconds, 0 to {_LAST}", show(value))
        step = Fraction(int(value) - last, len(waiting) + 1)
        found |= {slot: last + round(step * (n + 1)) for n, slot in enumerate(waiting)}
        last, waiting = int(value), []
        found[name] = last
    return found | dict.fromkeys(waiting, last)


def _place_aligned(
    tier: ET.Element, times: Mapping[str, int], placed: dict[str, tuple[int, int]], source: Path
) -> None:
    """Where a tier's annotations with times of their own stand: into `placed`, by their ids."""
    for annotation in tier.iter("ALIGNABLE_ANNOTATION"):
        refs = [annotation.get(f"TIME_SLOT_REF{n}", "") for n in (1, 2)]
        missing = [ref for ref in refs if ref not in times]
        if missing:
            raise _broken(source, "a TIME_SLOT for every annotation", f"none called {show(missing[0])}")
        placed[_id(annotation, placed, source)] = times[refs[0]], times[refs[1]]


def _id(annotation: ET.Element, placed: Mapping[str, object], source: Path) -> str:
    name = annotation.get("ANNOTATION_ID", "")
    if not name or name in placed:
        raise _broken(source, "an ANNOTATION_ID of its own for every annotation", show(name))
    return name


def _place_hanging(tiers: Sequence[ET.Element], placed: dict[str, tuple[int, int]], source: Path) -> None:
    """Where the annotations stand that hang on others: into `placed`.

    Several of one tier that hang on the same one share its time evenly, as ELAN shows them.
    """
    left = [tier for tier in tiers if tier.find("*/REF_ANNOTATION") is not None]
    for _ in range(_DEPTH):
        waiting = []
        for tier in left:
            hanging = list(tier.iter("REF_ANNOTATION"))
            if any(_reference(annotation) not in placed for annotation in hanging):
                waiting.append(tier)
                continue
            for parent, group in groupby(sorted(hanging, key=_reference), key=_reference):
                own = list(group)
                for annotation, place in zip(own, _parts(placed[parent], len(own)), strict=True):
                    placed[_id(annotation, placed, source)] = place
        left = waiting
    if left:
        name = show(left[0].get("TIER_ID"))
        raise _broken(
            source, "every annotation to hang on one with a time", f"one of the tier {name} that doesn't"
        )


def _reference(annotation: ET.Element) -> str:
    return annotation.get("ANNOTATION_REF", "")


def _parts(place: tuple[int, int], count: int) -> list[tuple[int, int]]:
    edges = [place[0] + (place[1] - place[0]) * n // count for n in range(count + 1)]
    return list(pairwise(edges))


def _tier(element: ET.Element, placed: Mapping[str, tuple[int, int]], source: Path) -> Tier:
    intervals = []
    for annotation in element.iterfind("ANNOTATION/*"):
        name = annotation.get("ANNOTATION_ID", "")
        if name not in placed:
            raise _broken(source, "annotations that ELAN knows", f"an element {show(annotation.tag)}")
        intervals.append(Interval(*placed[name], annotation.findtext("ANNOTATION_VALUE") or ""))
    intervals.sort(key=lambda interval: interval.place)
    return Tier(element.get("TIER_ID", ""), tuple(intervals))
