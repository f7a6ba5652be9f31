#!/bin/sh
# Writes the services' lines of the broker's password file, hashed, from the environment: passwords.sh FILE
#   RECORDER_PASSWORD, ANALYTICS_PASSWORD, API_PASSWORD   one for each service
#   DEMO_PASSWORD                                         where the simulated kiosk `demo` takes part
# Kiosks' lines are the work of `kiosk kiosks add|rotate|revoke`; they stay as they are.
set -eu
umask 077

file=$1
part=$file.new
trap 'rm -f "$part" "$part.kept"' EXIT

# write NAME PASSWORD: one user, in the clear for a moment
write() {
    case $2 in
    "" | *[!A-Za-z0-9_.-]*)
        # mosquitto_passwd splits at colons, and a shell word at blanks
        echo "the password of '$1' is not letters, digits, dot, dash and underscore alone" >&2
        exit 1
        ;;
    esac
    echo "$1:$2" >>"$part"
}

# not while `kiosk kiosks` changes the file
exec 9>>"$file.lock"
flock 9

: >"$part"
write recorder "${RECORDER_PASSWORD:-}"
write analytics "${ANALYTICS_PASSWORD:-}"
write api "${API_PASSWORD:-}"
if [ -n "${DEMO_PASSWORD:-}" ]; then
    write demo "$DEMO_PASSWORD"
fi
# hashes in place, so that no password is ever an argument that others can list
mosquitto_passwd -U "$part"
if [ -f "$file" ]; then
    sed -E '/^(recorder|analytics|api|demo):/d' "$file" >"$part.kept"
    cat "$part.kept" >>"$part"
fi
if [ "$(id -u)" = 0 ] && id mosquitto >/dev/null 2>&1; then
    # `kiosk kiosks` runs as the broker's user; so do both their folders, where they are given
    chown mosquitto: "$part" "$file.lock"
    for folder in ${FOLDERS:-}; do
        chown mosquitto: "$folder"
    done
fi
mv "$part" "$file"
