"""A figure as part of an HTML page: small, with names for screen readers, in the page's own ink and fonts."""

from __future__ import annotations

import hashlib
import io
import re
from xml.etree import ElementTree

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from bench.render import marks
from bench.render.figure import STYLE

_SVG, _LINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_GROUP, _USE, _METADATA, _STYLE = (f"{{{_SVG}}}{tag}" for tag in ("g", "use", "metadata", "style"))
_COLOR = re.compile(r"#[0-9a-fA-F]{6}\b")
_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_FONT = re.compile(r"font: (?:[a-z]+ )*([\d.]+px)[^;]*")
_TO_AIM_AT = 7  # the radius, in points, within which the pointer finds a mark
ElementTree.register_namespace("", _SVG)


def inline_svg(figure: Figure, *, name: str, title: str, description: str) -> str:
    """Return a figure as one ``<svg>`` element for an HTML page.

    Parameters
    ----------
    figure : Figure
        Its marks may have words (:func:`bench.render.marks.say`): each of these can be reached by the keyboard.
    name : str
        Begins all its ids, so that several figures fit on one page.
    title, description : str
        Its accessible name and description.

    Notes
    -----
    Black is the page's ``--ink``, white its ``--paper``, grey a mixture of both, and each other colour a variable of
    its own with the colour as default, so that a page can be dark.
    """
    said = _named_marks(figure, name)
    file = io.StringIO()
    with mpl.rc_context(STYLE | {"svg.fonttype": "none", "svg.hashsalt": name}):
        # transparent, so that the page's shadow at an edge beyond which there is more can be seen behind it
        nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(file, format="svg", transparent=True, metadata=nothing)
    for artist in said:
        artist.set_gid(None)
    root = ElementTree.fromstring(file.getvalue())
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (_METADATA, _STYLE):  # a style would be that of the whole page
                parent.remove(child)
    words = dict(said.values())
    prefix = f"x{hashlib.sha256(name.encode()).hexdigest()[:5]}"
    greys: dict[str, str] = {}
    for element in root.iter():
        _translate(element, prefix, greys)
        if element.tag == _GROUP and (text := words.get(element.get("id", ""))) is not None:
            _make_mark(element, text)
    for group in root.iter(_GROUP):
        _share_style(group)
    _drop_ids(root)
    styles = _styles_as_classes(root)
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    root.attrib |= {
        "class": "figure",
        "role": "group",
        "id": name,
        "aria-labelledby": f"{name}-title",
        "aria-describedby": f"{name}-desc",
        "style": "; ".join(f"{variable}: {mixture}" for variable, mixture in greys.items()),
    }
    for place, (tag, text) in enumerate((("title", title), ("desc", description), ("style", styles))):
        child = ElementTree.Element(f"{{{_SVG}}}{tag}", {} if tag == "style" else {"id": f"{name}-{tag}"})
        child.text = text
        root.insert(place, child)
    return ElementTree.tostring(root, encoding="unicode")


def _named_marks(figure: Figure, name: str) -> dict[Artist, tuple[str, str]]:
    """Give each mark an id, and return ids and words by mark."""
    found: dict[Artist, tuple[str, str]] = {}
    for artist, text in marks.said_in(figure).items():
        found[artist] = f"{name}-mark-{len(found)}", text
        artist.set_gid(found[artist][0])
    return found


def _translate(element: ElementTree.Element, prefix: str, greys: dict[str, str]) -> None:
    """Turn an element's colours, fonts, references and numbers into those of a page; collects the greys it needs."""
    for key, value in list(element.attrib.items()):
        if key == "id" and "-mark-" not in value:
            element.set("id", f"{prefix}{value}")
        elif key == f"{{{_LINK}}}href":
            del element.attrib[key]
            element.set("href", f"#{prefix}{value.removeprefix('#')}")
        elif key == "style":
            style = _COLOR.sub(lambda found: _variable(found[0].lower(), greys), _FONT.sub(r"font-size: \1", value))
            element.set("style", re.sub(r"font-family: [^;]*;? ?", "", style))
        elif key == "transform" and value.startswith("rotate(-0 "):
            del element.attrib[key]
        elif key in ("d", "x", "y", "transform", "points"):
            element.set(key, _NUMBER.sub(lambda found: f"{float(found[0]):.1f}", " ".join(value.split())))
        if key == "clip-path":
            element.set(key, _REFERENCE.sub(rf"url(#{prefix}\1)", value))
    if element.text is not None and not element.text.strip():
        element.text = None
    element.tail = None


def _variable(color: str, greys: dict[str, str]) -> str:
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    if not red == green == blue:
        return f"var(--c{color[1:]}, {color})"
    if red in (0, 255):
        return "var(--paper)" if red else "var(--ink)"
    share = 100 - round(100 * red / 255)
    greys[f"--g{share}"] = f"color-mix(in srgb, var(--ink) {share}%, var(--paper))"
    return f"var(--g{share})"


def _make_mark(group: ElementTree.Element, text: str) -> None:
    group.attrib |= {"class": "mark", "tabindex": "0", "role": "img", "aria-label": text}
    places = {(use.get("x"), use.get("y")) for use in group.iter(_USE)}
    if len(places) == 1:  # a line of many has no single place to aim at
        x, y = places.pop()
        circle = {"cx": x or "0", "cy": y or "0", "r": str(_TO_AIM_AT), "class": "aim"}
        group.append(ElementTree.Element(f"{{{_SVG}}}circle", circle))


def _share_style(group: ElementTree.Element) -> None:
    """Say once for a group of marks what all of them say."""
    uses = group.findall(_USE)
    if len(uses) > 1 and len({use.get("style") for use in uses}) == 1:
        group.set("style", uses[0].get("style", ""))
        for use in uses:
            use.attrib.pop("style", None)


def _drop_ids(root: ElementTree.Element) -> None:
    """Remove the ids that nothing refers to: they would be half of the file."""
    needed = {element.get("href", "").removeprefix("#") for element in root.iter()}
    needed |= {found for element in root.iter() for found in _REFERENCE.findall(element.get("clip-path", ""))}
    for element in root.iter():
        if element.get("class") != "mark" and element.get("id") not in needed:
            element.attrib.pop("id", None)


def _styles_as_classes(root: ElementTree.Element) -> str:
    """Replace each style by a class, and return their rules: a figure says the same few styles hundreds of times.

    A class is named after its style, so the same name means the same in every figure of a page.
    """
    rules = {}
    for element in root.iter():
        style = element.attrib.pop("style", "")
        if style:
            name = f"s{hashlib.sha256(style.encode()).hexdigest()[:6]}"
            rules[name] = f".{name}{{{style}}}"
            element.set("class", f"{element.get('class', '')} {name}".strip())
    return "".join(rules.values())
