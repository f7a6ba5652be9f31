#!/bin/sh
# Writes the broker's password file, hashed, from the environment: passwords.sh FILE
#   RECORDER_PASSWORD, ANALYTICS_PASSWORD, API_PASSWORD   one for each service
#   KIOSKS                                                "kiosk-1:password kiosk-2:password ..."
#   DEMO_PASSWORD                                         where the simulated kiosk `demo` takes part
set -eu
umask 077

file=$1
part=$file.part
trap 'rm -f "$part"' EXIT

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

: >"$part"
write recorder "${RECORDER_PASSWORD:-}"
write analytics "${ANALYTICS_PASSWORD:-}"
write api "${API_PASSWORD:-}"
set -f
for pair in ${KIOSKS:-} ${DEMO_PASSWORD:+demo:$DEMO_PASSWORD}; do
    name=${pair%%:*}
    # a wildcard in a name would open other kiosks' topics, a service's name that service's
    case $name in
    "" | [!A-Za-z0-9]* | *[!A-Za-z0-9_.-]* | recorder | analytics | api)
        echo "KIOSKS: '$name' cannot be a kiosk's name" >&2
        exit 1
        ;;
    esac
    case $pair in
    *:*) write "$name" "${pair#*:}" ;;
    *) write "$name" "" ;;
    esac
done
# hashes in place, so that no password is ever an argument that others can list
mosquitto_passwd -U "$part"
if [ "$(id -u)" = 0 ] && id mosquitto >/dev/null 2>&1; then
    chown mosquitto "$part"
fi
mv "$part" "$file"
