#!/bin/sh
# Installs pesbench from this kit, without a network: sh install.sh [FOLDER]
# Then FOLDER/pesbench is the command. Another interpreter: PYTHON=/path/of/python3 sh install.sh
set -eu
kit=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$PWD/pesbench}
python=${PYTHON:-python3}
refuse() { echo "pesbench: $1" >&2; exit 2; }

version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) ||
    refuse "there is no $python; name one: PYTHON=/path/of/python@PYTHON@ sh install.sh"
[ "$version" = "@PYTHON@" ] ||
    refuse "this kit is for Python @PYTHON@, and $python is $version; name another: PYTHON=python@PYTHON@ sh install.sh"
left_out=$kit/requirements/pesbench.left-out.txt  # in a kit that was made on top of an interpreter
shown=
base=
if [ -e "$left_out" ]; then
    base=$(command -v "$python")
    shown=$("$python" -s -P "$kit/inside.py" "$left_out") || exit 2
fi
[ ! -e "$folder" ] || refuse "$folder is there already; name another folder: sh install.sh FOLDER"
(cd "$kit" && sha256sum --check --quiet SHA256SUMS) >&2 || refuse "the kit is damaged; copy it again"

# uv from the kit does the rest: many a python3 has no pip and cannot make an environment with one
temporary=$folder/.install
trap 'rm -rf "$folder"' EXIT  # nothing half-made stays
trap 'exit 1' INT TERM
mkdir -p "$temporary"
"$python" -I -m zipfile -e "$kit"/wheels/uv-*.whl "$temporary"
uv=$(echo "$temporary"/uv-*.data/scripts/uv)
chmod +x "$uv"
export UV_CACHE_DIR="$temporary/cache" UV_NO_CONFIG=1 UV_OFFLINE=1 UV_LINK_MODE=copy
"$uv" venv --quiet --python "$(command -v "$python")" "$folder/.venv"
site=$("$folder/.venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
[ -z "$shown" ] || printf '%s\n' "$shown" > "$site/_on_top_of.pth"
"$uv" pip install --quiet --python "$folder/.venv/bin/python" \
    --no-index --no-deps --find-links "$kit/wheels" --requirement "$kit/requirements/pesbench.txt" pesbench
rm -rf "$temporary"
cp -R "$kit/cache" "$folder/cache"
cat > "$folder/pesbench" <<END
#!/bin/sh
export PESBENCH_KIT='$kit' PESBENCH_CACHE='$folder/cache' UV_CACHE_DIR='$folder/cache/uv'
export PESBENCH_WEIGHTS='$kit/weights' PESBENCH_DATA='$kit/data'
[ -z '$base' ] || export PESBENCH_ON_TOP_OF="\${PESBENCH_ON_TOP_OF-$base}"
exec '$folder/.venv/bin/pesbench' "\$@"
END
chmod +x "$folder/pesbench"
trap - EXIT
echo "installed: $folder/pesbench"
