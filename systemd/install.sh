#!/bin/sh
# Installs staff-mentions as a service, or takes it away again: `make install`, `make uninstall`.
#
#   /opt/staff-mentions      the program: a virtual environment, documents, the example config
#   /etc/staff-mentions      the config; never changed here once it exists
#   /var/lib/staff-mentions  database, evidence, keys; never touched here but for owner and mode
#
# PREFIX moves the first. DESTDIR stages everything below another folder, for a package or a test:
# no user is then made and no service is told.
set -eu

PREFIX=${PREFIX:-/opt/staff-mentions}
DESTDIR=${DESTDIR:-}
PYTHON=${PYTHON:-python3}
ACCOUNT=staff-mentions
CONFIG=/etc/staff-mentions
STATE=/var/lib/staff-mentions
UNIT=/etc/systemd/system/staff-mentions.service
PICTURES=staff-mentions-pictures
UNITS=/etc/systemd/system
COMMAND=/usr/local/bin/staff-mentions

here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

say() { printf '%s\n' "$*"; }
stop() { printf '%s\n' "$*" >&2; exit 1; }
staged() { [ -n "$DESTDIR" ]; }
with_systemd() { ! staged && [ -d /run/systemd/system ]; }

must_be_root() {
    staged || [ "$(id -u)" = 0 ] || stop "This needs root: sudo make $1"
}

# The service may not enter home folders, so its Python must not live in one.
find_python() {
    python=$(command -v "$PYTHON") || stop "There is no $PYTHON here. Say: make install PYTHON=…"
    python=$("$python" -c 'import os, sys; print(os.path.realpath(sys.executable))')
    case $python in
    /root/* | /home/* | /run/user/*)
        staged || [ ! -x /usr/bin/python3 ] || python=$(realpath /usr/bin/python3)
        ;;
    esac
    case $python in
    /root/* | /home/* | /run/user/*)
        staged || stop "$python lies in a home folder, which the service may not enter." \
            "Say: make install PYTHON=/usr/bin/python3"
        ;;
    esac
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        stop "staff-mentions needs Python 3.11 or newer; $python is $("$python" --version 2>&1)."
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        stop "$python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv"
}

# pip tells a story that matters only when it ends badly.
quietly() {
    "$@" >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; stop "This went wrong: $*"; }
}

pip_into() {
    folder=$1
    shift
    quietly "$folder/bin/python" -m pip --disable-pip-version-check --no-input "$@"
}

install_program() {
    say "Building the program with $python"
    quietly "$python" -m venv "$work/build"
    pip_into "$work/build" install --require-hashes -r "$here/requirements/build.txt"
    pip_into "$work/build" wheel --no-deps --no-build-isolation --no-index -w "$work/wheel" "$here"

    # A fresh environment beside the old one, which a running service still reads from: the link
    # changes only when everything is in place, and the old one goes at the next installation.
    umask 022
    mkdir -p "$root$PREFIX"
    fresh=venv-$(date -u +%Y%m%d%H%M%S)
    say "Fetching its libraries into $PREFIX and comparing their hashes (a minute or two)"
    quietly "$python" -m venv "$root$PREFIX/$fresh"
    pip_into "$root$PREFIX/$fresh" install --require-hashes -r "$here/requirements/run.txt"
    pip_into "$root$PREFIX/$fresh" install --no-deps --no-index "$work"/wheel/*.whl
    if wants_pictures; then
        pip_into "$root$PREFIX/$fresh" install --require-hashes -r "$here/requirements/pictures.txt"
    fi
    unstage "$root$PREFIX/$fresh"

    old=$(readlink "$root$PREFIX/venv" || true)
    ln -s "$fresh" "$root$PREFIX/venv.new"
    mv -T "$root$PREFIX/venv.new" "$root$PREFIX/venv"
    for each in "$root$PREFIX"/venv-*; do
        case ${each##*/} in "$fresh" | "$old") ;; *) rm -rf -- "$each" ;; esac
    done

    rm -rf -- "$root$PREFIX/doc"
    mkdir -p "$root$PREFIX/doc"
    cp -R "$here/docs/." "$here/README.md" "$here/CHANGELOG.md" "$here/LICENSE" \
        "$here/config.example.toml" "$root$PREFIX/doc/"
}

# Scripts name the folder that they were installed in; after staging that is another one.
unstage() {
    staged || return 0
    grep -rlIF -- "$root$PREFIX" "$1/bin" "$1/pyvenv.cfg" | while IFS= read -r file; do
        sed -i "s|$root$PREFIX|$PREFIX|g" "$file"
    done
}

# What root leaves in the data folder the service could not change, so the command is always the
# service's user; who really types it goes into the log.
install_command() {
    mkdir -p "$root${COMMAND%/*}"
    cat >"$work/command" <<SCRIPT
#!/bin/sh
# staff-mentions as the service's own user. Made by \`make install\`.
program=$PREFIX/venv/bin/staff-mentions
export ORT_DISABLE_TELEMETRY=1
umask 077
if [ "\$(id -u)" = 0 ]; then
    # It may not enter every folder that root stands in.
    runuser -u $ACCOUNT -- test -x . || cd /
    LOGNAME=\${SUDO_USER:-root} HOME=$STATE exec runuser -u $ACCOUNT -- "\$program" "\$@"
fi
exec "\$program" "\$@"
SCRIPT
    install -m 0755 "$work/command" "$root$COMMAND"
}

# Pictures of pages are switched on in the config, by a table [evidence.pictures]. A config that
# cannot be read says nothing about them: they stay as they are.
wants_pictures() {
    [ -e "$root$CONFIG/config.toml" ] || return 1
    said=$("$python" - "$root$CONFIG/config.toml" <<'SCRIPT'
import sys, tomllib
try:
    with open(sys.argv[1], "rb") as file:
        given = tomllib.load(file)
except (OSError, ValueError):
    print("unreadable")
else:
    print("yes" if "pictures" in given.get("evidence", {}) else "no")
SCRIPT
    )
    case $said in
    yes) return 0 ;;
    no) return 1 ;;
    *) [ -e "$root$UNITS/$PICTURES.socket" ] ;;
    esac
}

# An account and units of their own for the browser; taken away where the config does not want them.
install_pictures() {
    wants_pictures || { remove_pictures; return 0; }
    if ! staged && ! id -u "$PICTURES" >/dev/null 2>&1; then
        say "Making the user $PICTURES"
        useradd --system --user-group --home-dir /nonexistent --no-create-home \
            --shell /usr/sbin/nologin --comment "staff-mentions pictures" "$PICTURES"
    fi
    for each in "$PICTURES.socket" "$PICTURES@.service"; do
        sed "s|/opt/staff-mentions|$PREFIX|g" "$here/systemd/$each" >"$work/unit"
        install -m 0644 "$work/unit" "$root$UNITS/$each"
    done
    if ! staged; then
        for each in chromium chromium-browser google-chrome; do
            command -v "$each" >/dev/null 2>&1 && found=$each
        done
        [ -n "${found:-}" ] || say "Pictures need Chromium, which is not here: apt install chromium"
    fi
    with_systemd || return 0
    systemctl daemon-reload
    systemctl enable --now --quiet "$PICTURES.socket"
}

remove_pictures() {
    if with_systemd && [ -e "$root$UNITS/$PICTURES.socket" ]; then
        systemctl disable --now --quiet "$PICTURES.socket" || true
        rm -f -- "/run/$PICTURES.sock"
    fi
    rm -f -- "$root$UNITS/$PICTURES.socket" "$root$UNITS/$PICTURES@.service"
}

install_account() {
    staged && return 0
    id -u "$ACCOUNT" >/dev/null 2>&1 && return 0
    say "Making the user $ACCOUNT"
    useradd --system --user-group --home-dir "$STATE" --no-create-home \
        --shell /usr/sbin/nologin --comment "staff-mentions service" "$ACCOUNT"
}

# The group may write here, so that `init`, run as the service's user, can make the config; the
# unit shows /etc to the running service as read-only.
install_folders() {
    if staged; then
        install -d -m 0770 "$root$CONFIG"
        install -d -m 0700 "$root$STATE"
        install -m 0640 "$here/config.example.toml" "$root$CONFIG/config.example.toml"
        return
    fi
    install -d -m 0770 -o root -g "$ACCOUNT" "$CONFIG"
    install -d -m 0700 -o "$ACCOUNT" -g "$ACCOUNT" "$STATE"
    install -m 0640 -o root -g "$ACCOUNT" "$here/config.example.toml" "$CONFIG/config.example.toml"
}

install_unit() {
    mkdir -p "$root${UNIT%/*}"
    sed "s|/opt/staff-mentions|$PREFIX|g" "$here/systemd/staff-mentions.service" >"$work/unit"
    install -m 0644 "$work/unit" "$root$UNIT"
    with_systemd || return 0
    systemctl daemon-reload
}

say_what_next() {
    staged && { say "Staged below $DESTDIR."; return; }
    if [ -e "$CONFIG/config.toml" ]; then
        say "Installed. The config and the data are as they were. Now:"
        say "  sudo systemctl stop staff-mentions"
        say "  sudo staff-mentions migrate"
        say "  sudo systemctl start staff-mentions"
        return
    fi
    say "Installed. Now:"
    say "  sudo staff-mentions init --config $CONFIG/config.toml"
    say "  sudo staff-mentions check"
    say "  sudo systemctl enable --now staff-mentions"
    say "What to expect at each step: $PREFIX/doc/install.md"
}

uninstall() {
    must_be_root uninstall
    if with_systemd && [ -e "$UNIT" ]; then
        systemctl disable --now --quiet staff-mentions || true
    fi
    root=${DESTDIR%/}
    remove_pictures
    rm -f -- "$DESTDIR$UNIT" "$DESTDIR$COMMAND"
    rm -rf -- "$DESTDIR$PREFIX"/venv "$DESTDIR$PREFIX"/venv-* "$DESTDIR$PREFIX/doc"
    rmdir -- "$DESTDIR$PREFIX" 2>/dev/null || true
    if with_systemd; then systemctl daemon-reload; fi
    say "The program is gone. Config and evidence stay: $DESTDIR$CONFIG, $DESTDIR$STATE"
}

case ${1:-install} in
install)
    must_be_root install
    root=${DESTDIR%/}
    work=$(mktemp -d)
    trap 'rm -rf -- "$work"' EXIT
    find_python
    install_program
    install_command
    install_account
    install_folders
    install_unit
    install_pictures
    say_what_next
    ;;
uninstall) uninstall ;;
*) stop "install or uninstall, not $1" ;;
esac
