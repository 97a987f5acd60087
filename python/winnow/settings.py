"""Policies and machines as objects: `policy.v_bits = 6`, `machine.qk.sram.tokens`, `Policy("select", v_bits=6)`.

Keys, their types, rules and texts come from the schema behind `winnow policies --show` and `winnow machines --show`;
none is listed here. settings.pyi, made with the build, has them for editors.
"""

from winnow import _core


def _set_all(target, given):
    for key, value in given.items():
        if isinstance(value, dict):
            _set_all(target, {f"{key}.{inner}": one for inner, one in value.items()})
        else:
            target._set(key, value)


def _document(info):
    unit = f" [{info.unit}]" if info.unit else ""
    return f"{info.doc}{unit}; {info.rule}." if info.doc else f"{info.rule}{unit}."


def _parameter(info):
    def get(self):
        return self._owner._get(info.key)

    def put(self, value):
        self._owner._set(info.key, value)

    return property(get, put, doc=_document(info))


class _SectionMember(property):
    """Gives the section of an object; assigned a dict, it sets what the dict names."""

    def __init__(self, made):
        self.made = made
        super().__init__(
            lambda self: made(self._owner),
            lambda self, values: _set_all(self._owner, {made._path: values}),
            doc=f"Parameters {made._path}.*",
        )


def _section(path, owner_name, infos):
    """The class of what stands behind `path` ("qk.sram"; "" for the object itself), as {name: property}."""
    members, inner = {}, {}
    for info in infos:
        rest = info.key[len(path) + 1 :] if path else info.key
        name, _, deeper = rest.partition(".")
        if deeper:
            inner.setdefault(name, []).append(info)
        else:
            members[name] = _parameter(info)
    for name, below in inner.items():
        members[name] = _SectionMember(_section_class(f"{path}.{name}" if path else name, owner_name, below))
    return members


class _Section:
    """Parameters under one name, of a policy or a machine."""

    __slots__ = ("_owner",)

    def __init__(self, owner):
        object.__setattr__(self, "_owner", owner)

    def __setattr__(self, name, value):
        _refuse_unknown(self, name)
        object.__setattr__(self, name, value)

    def __repr__(self):
        names = [name for name, member in vars(type(self)).items() if isinstance(member, property)]
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"


def _section_class(path, owner_name, infos):
    name = owner_name + "".join(part.capitalize() for part in path.split("."))
    return type(name, (_Section,), {"__slots__": (), "_path": path, **_section(path, owner_name, infos)})


def _refuse_unknown(self, name):
    """An unknown key is the command line's error, which names the nearest known one."""
    if not name.startswith("_") and not isinstance(getattr(type(self), name, None), property):
        path = getattr(self, "_path", "")
        self._owner._set(f"{path}.{name}" if path else name, "")


class _Settable:
    """What Policy and Machine share: parameters in the constructor, as attributes, by key, as a dict."""

    def __init__(self, base, /, **parameters):
        """From a name, a .yaml file, or another object of the kind; then the given parameters. Raises Error."""
        if isinstance(base, type(self)):
            super().__init__(base.base)
            for setting in base.changes():
                key, value = setting.split("=", 1)
                self._set(key, value)
        else:
            super().__init__(str(base))
        _set_all(self, parameters)
        self.check()

    @property
    def _owner(self):
        return self

    def __setattr__(self, name, value):
        _refuse_unknown(self, name)
        super().__setattr__(name, value)

    def __getitem__(self, key):
        return self._get(key)

    def __setitem__(self, key, value):
        self._set(key, value)

    def __eq__(self, other):
        return isinstance(other, type(self)) and self.name == other.name and self.as_dict() == other.as_dict()

    __hash__ = None

    def parameters(self):
        """[ParameterInfo] of all keys."""
        return self._parameters()

    def as_dict(self):
        """{dotted key: value} of all parameters."""
        return {info.key: self._get(info.key) for info in self._parameters() if not info.shorthand}

    def changed(self, /, **parameters):
        """A copy with other values."""
        return type(self)(self, **parameters)

    def __repr__(self):
        words = "".join(", " + text for text in self.changes())
        return f"<{type(self).__name__} {self.base}{words}>"


def _with_parameters(name, core, example, doc):
    members = {**_section("", name, core(example)._parameters()), "__doc__": doc, "__module__": __name__}
    # The name that results carry is the extension's property: it cannot be set with --set.
    if name == "Policy":
        members.pop("name", None)
    return type(name, (_Settable, core), members)


Policy = _with_parameters(
    "Policy",
    _core.Policy,
    "dense",
    """What is fetched for a query: tokens, heads, values and bits.

    Policy("select", v_bits=6, select_keep=[0.95]) is `--policy select --set v_bits=6 --set select_keep=0.95`.
    policies() has the names. Raises Error as the command line does.""",
)
Machine = _with_parameters(
    "Machine",
    _core.Machine,
    "spatten",
    """Sizes of every block of a machine.

    Machine("spatten", heads_in_flight=4, qk={"sram": {"tokens": 2048}}). machines() has the names. Raises Error as the
    command line does.""",
)


def policies():
    """Names of the policies that come with Winnow."""
    return _core.policy_names()


def machines():
    """Names of the machines that come with Winnow."""
    return _core.machine_names()
