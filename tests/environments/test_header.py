"""The header of an adapter file."""

import pytest

from bench.environments.header import HeaderError, read_header

HEADER = """# /// script
# requires-python = ">=3.11"
# dependencies = ["ase==3.29.0"]
# [tool.pesbench]
# family = "Family"
# kind = "mlip"
# devices = ["cpu", "cuda"]
# cuda-dependencies = ["cuequivariance==0.6"]
# [tool.pesbench.methods.small]
# parameters = 10
# checkpoint = { file = "small.pt", licence = "MIT", bytes = 5 }
# [tool.pesbench.methods.large]
# devices = ["cuda"]
# charge = true
# default = false
# theory = { functional = "PBE0", basis = "-", dispersion = "MBD", source = "a paper" }
# ///
raise RuntimeError("a header is read without importing the file")
"""


@pytest.fixture
def adapter(tmp_path):
    def write(text):
        path = tmp_path / "family.py"
        path.write_text(text)
        return path

    return write


def test_a_header_is_read_without_importing_the_file(adapter):
    header = read_header(adapter(HEADER))
    assert header.dependencies == ("ase==3.29.0",)
    assert header.device_dependencies == {"cuda": ("cuequivariance==0.6",)}
    assert [*header.methods] == ["small", "large"]


def test_what_the_family_says_holds_for_its_methods_unless_they_say_else(adapter):
    methods = read_header(adapter(HEADER)).methods
    assert methods["small"].devices == ("cpu", "cuda")
    assert methods["large"].devices == ("cuda",)
    assert methods["small"].default
    assert not methods["large"].default
    assert (methods["small"].charge, methods["large"].charge, methods["large"].spin) == (False, True, False)
    assert methods["small"].checkpoint.file == "small.pt"
    assert methods["small"].label == "small"


def test_a_theory_may_stand_for_the_family_and_a_method_may_have_its_own(adapter):
    methods = read_header(adapter(HEADER)).methods
    assert methods["small"].theory is None
    own = methods["large"].theory
    assert (own.functional, own.basis, own.dispersion, own.source, own.added) == ("PBE0", "-", "MBD", "a paper", "")
    shared = '# theory = { functional = "PBE", basis = "-", dispersion = "none", source = "s", added = "D3(BJ)" }'
    methods = read_header(adapter(HEADER.replace('# kind = "mlip"', f'# kind = "mlip"\n{shared}'))).methods
    assert (methods["small"].theory.functional, methods["small"].theory.added) == ("PBE", "D3(BJ)")
    assert methods["large"].theory == own


def test_the_digest_changes_with_what_the_environment_is_made_from_and_with_nothing_else(adapter):
    first = read_header(adapter(HEADER)).digest
    assert read_header(adapter(HEADER + "pass\n")).digest == first
    assert read_header(adapter(HEADER.replace("parameters = 10", "parameters = 11"))).digest == first
    assert read_header(adapter(HEADER.replace("cuequivariance==0.6", "cuequivariance==0.7"))).digest != first
    assert read_header(adapter(HEADER.replace("3.29.0", "3.28.0"))).digest != first
    cpu_alone = HEADER.replace("# cuda-dependencies", '# cpu-dependencies = ["onednn==1"]\n# cuda-dependencies')
    assert read_header(adapter(cpu_alone)).digest != first


def test_the_digest_is_that_of_version_0_1_whose_environments_stay_in_use(adapter):
    assert read_header(adapter(HEADER)).digest.startswith("4262c73c2dc5")


def test_a_family_may_take_charge_and_spin_for_all_its_methods(adapter):
    taken = HEADER.replace('# kind = "mlip"', '# kind = "mlip"\n# charge = true\n# spin = true')
    assert all(method.charge and method.spin for method in read_header(adapter(taken)).methods.values())


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("# /// script", "# script", "no '# /// script' header; see docs/extending.md"),
        ('kind = "mlip"', 'kind = "magic"', "kind = 'magic'"),
        ('family = "Family"', 'familie = "Family"', "lacks 'family'"),
        ("parameters = 10", "paramters = 10", "unknown key 'paramters'"),
        ("bytes = 5", "byte = 5", "describes the checkpoint of small wrongly"),
        ('devices = ["cuda"]', 'devices = ["tpu"]', "names the device 'tpu'"),
        ("basis =", "base =", "describes the theory of large wrongly"),
        (', source = "a paper"', "", "describes the theory of large wrongly"),
        ('functional = "PBE0"', 'functional = ""', "describes the theory of large wrongly: functional is ''"),
        ('dispersion = "MBD"', "dispersion = false", "describes the theory of large wrongly: dispersion is False"),
        ("parameters = 10", "parameters = ", "not valid TOML"),
    ],
)
def test_a_wrong_header_is_named_in_one_sentence(adapter, before, after, says):
    assert before in HEADER
    with pytest.raises(HeaderError) as caught:
        read_header(adapter(HEADER.replace(before, after)))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


KNOBS = """# [tool.pesbench.knobs]
# compile = ["off", "on"]
# tf32 = { values = ["off", "on"], devices = ["cuda"] }
# [tool.pesbench.methods.large.knobs]
# compile = ["on", "off"]
# edges = ["1", "1.5"]
# ///
"""


def test_knobs_of_the_family_hold_for_its_methods_which_may_have_others_and_other_defaults(adapter):
    methods = read_header(adapter(with_knobs(KNOBS))).methods
    assert {name: knob.values for name, knob in methods["small"].knobs.items()} == {
        "compile": ("off", "on"),
        "tf32": ("off", "on"),
    }
    assert methods["large"].knobs["compile"].values == ("on", "off")
    assert set(methods["large"].knobs_on("cuda")) == {"compile", "tf32", "edges"}
    assert set(methods["large"].knobs_on("cpu")) == {"compile", "edges"}


def test_a_knob_may_have_another_default_on_a_kind_of_device(adapter):
    line = '# compile = { values = ["on", "off"], default = { cpu = "off" } }'
    small = read_header(adapter(with_knobs(f"# [tool.pesbench.methods.small.knobs]\n{line}\n# ///\n"))).methods["small"]
    assert small.knobs_on("cuda")["compile"].values == ("on", "off")
    assert small.knobs_on("cpu")["compile"].values == ("off", "on")
    assert str(small.knobs["compile"]) == "on|off (cpu: off)"


def with_knobs(text):
    """Return the header with more at its end."""
    return HEADER.replace("# ///\nraise", f"{text}raise")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('compile = "on"', 'as \'on\'; write compile = ["off", "on"], the default first'),
        ('compile = { value = ["off", "on"] }', "the default first"),
        ('compile = ["on"]', "with the values ['on']; it needs at least two different ones"),
        ('compile = ["on", "on"]', "it needs at least two different ones"),
        ("compile = [false, true]", "with the value False; values are text like"),
        ('compile = ["off", "a b"]', "with the value 'a b'; values are text like"),
        ('tf32 = { values = ["off", "on"], devices = ["gpu"] }', "on the devices ['gpu']; known are cpu, cuda"),
        (
            'compile = { values = ["on", "off"], default = "off" }',
            "the default 'off'; write default = { cpu = \"on\" }",
        ),
        ('compile = { values = ["on", "off"], default = { gpu = "off" } }', "the default {'gpu': 'off'}"),
        ('compile = { values = ["on", "off"], default = { cpu = "no" } }', "the default {'cpu': 'no'}"),
        ('threads = ["1", "2"]', "the knob 'threads'; take another name"),
        ('dtype = ["float32", "float64"]', "the knob 'dtype'; take another name"),
        ('"Two Words" = ["off", "on"]', "the knob 'Two Words'; take another name"),
    ],
)
def test_a_wrong_knob_is_refused_with_what_to_write(adapter, line, says):
    with pytest.raises(HeaderError) as caught:
        read_header(adapter(with_knobs(f"# [tool.pesbench.methods.small.knobs]\n# {line}\n# ///\n")))
    assert "gives small the knob" in str(caught.value)
    assert says in str(caught.value)


ENGINES = """# /// script
# requires-python = ">=3.11"
# dependencies = ["ase==3.29.0"]
# [tool.pesbench]
# family = "Other"
# kind = "mlip"
# [tool.pesbench.conversion]
# command = ["-m", "convert", "{checkpoint}", "{converted}"]
# file = "converted.json"
# dependencies = ["converter==1.0"]
# [tool.pesbench.methods."small@other"]
# engine-of = "small"
# convert = ["--head", "a"]
# energy-limit = 1e-4
# limit-reason = "splines"
# ///
"""


def test_an_engine_names_its_reference_and_how_the_checkpoint_is_converted(adapter):
    header = read_header(adapter(ENGINES))
    assert header.conversion.command == ("-m", "convert", "{checkpoint}", "{converted}")
    assert (header.conversion.file, header.conversion.dependencies) == ("converted.json", ("converter==1.0",))
    method = header.methods["small@other"]
    assert (method.engine_of, method.engine, method.convert) == ("small", "other", ("--head", "a"))
    assert (method.energy_limit, method.force_limit, method.limit_reason) == (1e-4, None, "splines")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"small@other"', '"other"', "names an engine of small 'other'; write small@NAME"),
        ('"small@other"', '"small@"', "names an engine of small 'small@'; write small@NAME"),
        ('limit-reason = "splines"', 'label = "x"', "energy-limit without a reason"),
        ('"{checkpoint}", ', "", "command needs the words {checkpoint} and {converted}"),
        ('"converted.json"', '"../converted.json"', "instead of a name"),
        ('file = "converted.json"', "", "describes the conversion wrongly"),
        ('engine-of = "small"', "", "energy-limit without a reason; an engine needs"),
        (
            'limit-reason = "splines"',
            'limit-reason = "a"\n# checkpoint = { file = "a", licence = "MIT" }',
            "an engine has that of small",
        ),
    ],
)
def test_what_does_not_fit_together_in_an_engine_is_refused(adapter, old, new, why):
    text = ENGINES.replace(old, new)
    assert text != ENGINES
    with pytest.raises(HeaderError) as error:
        read_header(adapter(text))
    assert why in str(error.value)
