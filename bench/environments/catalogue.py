"""Finds adapter files and reads their headers; no adapter is imported here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from bench import paths
from bench.core.kind import rank
from bench.core.likely import similar
from bench.environments import own
from bench.environments.header import AT, Header, HeaderError, Method, read_header
from bench.errors import BadInput

Resolver = Callable[[Method, str], Method | None]
VERSIONS: tuple[Resolver, ...] = (own.version,)
"""What can stand after the @ in a method's name: each returns the version of a method that a text means, or None."""


class Catalogue:
    """The methods of the project's own adapters, and of the user's adapter files.

    Raises BadInput where a file is not an adapter or a method's name is taken.
    """

    def __init__(self, extra: Iterable[str | Path] = ()) -> None:
        self.extra = [Path(path).resolve() for path in extra]
        self.headers: list[Header] = []
        self.methods: dict[str, Method] = {}
        for path in (*sorted(paths.adapters_dir().glob("*.py")), *self.extra):
            self._add(path)
        for name, method in self.methods.items():
            self.methods[name] = self._with_checkpoint(method)

    def _with_checkpoint(self, method: Method) -> Method:
        """Return an engine with the checkpoint of its reference; any other method as it is."""
        if not method.engine_of:
            return method
        if method.engine_of not in self.methods:
            raise BadInput(f"{method.adapter} has an engine of {method.engine_of!r}, and there is no such method.")
        of = self.methods[method.engine_of]
        return dataclasses.replace(
            method,
            checkpoint=of.checkpoint,
            theory=of.theory,
            random_weights=of.random_weights,
            default=False,
        )

    def engines_of(self, method: Method) -> dict[str, Method]:
        """Return the engines that compute the same as `method`, by their names."""
        return {one.engine: one for one in self.methods.values() if one.engine_of == method.name}

    def with_engines(self, methods: Sequence[Method], names: str | None) -> list[Method]:
        """Return methods with those of their engines that a comma-separated list names, or ``all``; None: without.

        Raises BadInput for a name that is no engine of any of them.
        """
        found = {one.name: one for one in methods}
        known = {name: one for method in methods for name, one in self.engines_of(method).items()}
        wanted = [] if names is None else [*known] if names == "all" else names.split(",")
        for name in wanted:
            if name not in known:
                has = f"there are {', '.join(known)}" if known else "none of these methods has any"
                raise BadInput(f"there is no engine {name!r} for {', '.join(one.name for one in methods)}; {has}.")
        for method in methods:
            found |= {one.name: one for name, one in self.engines_of(method).items() if name in wanted}
        return sorted(found.values(), key=self._weight)

    def _add(self, path: Path) -> None:
        if not path.is_file():
            raise BadInput(f"there is no adapter file {path}.")
        try:
            header = read_header(path)
        except (HeaderError, UnicodeDecodeError) as error:
            raise BadInput(f"{path} is no adapter file: {error}.") from None
        for name, method in header.methods.items():
            if name in self.methods:
                taken = self.methods[name].adapter
                raise BadInput(f"{path} defines the method {name!r}, which {taken} has already; rename one.")
            self.methods[name] = method
        self.headers.append(header)

    def header(self, method: Method) -> Header:
        """Return the header of the adapter file that `method` comes from."""
        return next(header for header in self.headers if header.path == method.adapter)

    def add_version(self, method: Method, path: Path, suffix: str) -> Method:
        """Add the `method` of another adapter file, its name with `suffix`.

        Raises BadInput where the file lacks it, or where it has a checkpoint of the user's own.
        """
        if not path.is_file():
            raise BadInput(f"there is no adapter file {path}.")
        try:
            header = read_header(path)
        except (HeaderError, UnicodeDecodeError, OSError) as error:
            raise BadInput(f"{path} is no adapter file: {error}.") from None
        if method.own_checkpoint:
            raise BadInput(
                "versions are compared with the published checkpoint; "
                f"name {method.known_as} in place of {method.name}."
            )
        if method.name not in header.methods:
            raise BadInput(f"{path} has no method {method.name!r}; it has {', '.join(header.methods)}.")
        other = dataclasses.replace(
            self._with_checkpoint(header.methods[method.name]),
            name=f"{method.name}{suffix}",
            label=f"{header.methods[method.name].label} ({suffix.strip('@')})",
            known_as=method.name,
        )
        self.methods[other.name] = other
        self.headers.append(header)
        return other

    def select(self, names: str | None) -> list[Method]:
        """Return the methods that a comma-separated list names, light ones first; None means the default ones.

        ``all`` means every method but engines and the reference levels, which have to be named. Light methods come
        first (by kind, then size of the environment), so that a first row appears soon. Raises BadInput for an unknown
        name.
        """
        if names is None:
            chosen = [method for method in self.methods.values() if method.default]
        elif names == "all":
            chosen = [one for one in self.methods.values() if not one.level and not one.engine_of]
        else:
            wanted = [name.strip() for name in names.split(",") if name.strip()]
            if not wanted:
                raise BadInput("no method is named; 'pesbench list' shows them.")
            chosen = list({method.name: method for method in map(self._named, wanted)}.values())
        return sorted(chosen, key=self._weight)

    def _weight(self, method: Method) -> tuple[int, int]:
        return rank(method.kind), self.header(method).download_mb

    def _named(self, name: str) -> Method:
        if name in self.methods:
            return self.methods[name]
        # names of the published table work too: orb-v3 is the model in its row
        published = [method for method in self.methods.values() if method.paper == name and method.default]
        if published:
            return published[0]
        if AT in name:
            return self._version(name)
        near = similar(name, self.methods)
        hint = (
            f"did you mean {' or '.join(map(repr, near))}?"
            if near
            else "'pesbench list' shows them all, and --adapter FILE adds yours."
        )
        raise BadInput(f"there is no method {name!r}; {hint}")

    def _version(self, name: str) -> Method:
        """Return the method that ``BASE@WHAT`` means, and keep it under its own name; raises BadInput."""
        base, _, what = name.partition(AT)
        method = self._named(base)
        for resolve in VERSIONS:
            if (found := resolve(method, what)) is not None:
                known = self.methods.setdefault(found.name, found)
                if known.own_checkpoint != found.own_checkpoint:
                    raise BadInput(
                        f"{known.own_checkpoint} and {found.own_checkpoint} would both be {found.name}; rename one."
                    )
                return known
        raise BadInput(f"there is no method {name!r}: {own.missing(what)}.")
