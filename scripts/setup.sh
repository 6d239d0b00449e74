# Shared by the commands in this folder: source it, then call need_python NAME (a lock in scripts/lock).
# Everything lands in .venv of the repository; nothing is fetched that its lock does not name by hash.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
PYTHON=.venv/bin/python

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else die "this needs root: $*"; fi
}

# need_apt WHY PACKAGE...: says what it adds, then adds it through apt; what is there stays as it is.
need_apt() {
    local why=$1 missing=() package
    shift
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed$' || missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return
    say "Installing with apt-get, for $why: ${missing[*]}"
    command -v apt-get >/dev/null || die "no apt-get on this system: install these by hand"
    local output
    output=$(as_root apt-get update -qq 2>&1 &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" 2>&1) && return
    say "$output"
    die "apt-get could not install: ${missing[*]}"
}

# need_command COMMAND WHY PACKAGE...: the same, unless the command is there already, from wherever.
need_command() {
    local command=$1
    shift
    command -v "$command" >/dev/null || need_apt "$@"
}

find_python() {
    local candidate
    for candidate in ${VOICESTREAM_PYTHON:-} python3 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    die "Python 3.11 or newer is needed (Debian 12: apt-get install python3)"
}

make_venv() {
    local python=$1
    "$python" -m venv .venv >/dev/null 2>&1 && return
    # Debian keeps ensurepip in a package of its own; the system's pip can fill an environment without it.
    rm -rf .venv
    if "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m venv --without-pip .venv || die "$python cannot make a virtual environment"
    else
        need_apt "a virtual environment" python3-venv
        "$python" -m venv .venv || die "$python cannot make a virtual environment"
    fi
}

pip_install() {
    if [ -x .venv/bin/pip ]; then
        $PYTHON -m pip install --quiet --disable-pip-version-check --no-input "$@"
    else
        "$(find_python)" -m pip --python $PYTHON install --quiet --disable-pip-version-check --no-input "$@"
    fi || die "pip could not install ($*)"
}

digest() { sha256sum "$1" | cut -d' ' -f1; }

# is_installed NAME: the lock NAME, or one that contains it, is in .venv as it stands in the repository.
is_installed() {
    local name containing
    case $1 in serve) containing='serve test bench fuzz' ;; test) containing='test bench fuzz' ;; *) containing=$1 ;; esac
    for name in $containing; do
        [ "$(cat ".venv/.installed-$name" 2>/dev/null)" = "$(digest "scripts/lock/$name.txt")" ] && return
    done
    return 1
}

# need_python NAME: .venv holds exactly what scripts/lock/NAME.txt names, and this package.
need_python() {
    if ! [ -x $PYTHON ] || ! $PYTHON -c '' 2>/dev/null; then
        local python
        python=$(find_python) || exit 1
        say "Making .venv with $python"
        make_venv "$python"
    fi
    if ! is_installed "$1"; then
        say "Installing the packages of scripts/lock/$1.txt into .venv (a minute the first time)"
        pip_install --require-hashes --no-deps -r "scripts/lock/$1.txt"
        digest "scripts/lock/$1.txt" >".venv/.installed-$1"
    fi
    # Editable: the repository is what runs. Its place may have changed since (a moved or copied folder).
    if [ "$(cat .venv/.installed-package 2>/dev/null)" != "$PWD $(digest pyproject.toml)" ]; then
        pip_install --no-deps --no-build-isolation --editable .
        echo "$PWD $(digest pyproject.toml)" >.venv/.installed-package
    fi
}

PROMPTS='asterisk-core-sounds-en-wav asterisk-core-sounds-fr-wav asterisk-core-sounds-it-wav asterisk-core-sounds-ru-wav
    asterisk-prompt-it-menardi-wav asterisk-prompt-fr-armelle asterisk-prompt-es-co' # recorded speech of seven speakers, 8 kHz
