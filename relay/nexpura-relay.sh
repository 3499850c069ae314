#!/bin/sh
# The relay's commands on a server, installed as /usr/bin/nexpura-relay: they run as the service of that name runs, as
# its user, with its settings, on its ledger. Without this a command would begin a ledger of its own in the folder where
# somebody stands, and name no address but this machine's.
set -eu

if [ "$(id -u)" != 0 ]; then
    echo "nexpura-relay: only root may read its settings and its ledger: sudo nexpura-relay $*" >&2
    exit 1
fi

# Where cron and su leave it out as well.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
program=/usr/lib/nexpura/nexpura-relay
settings=/etc/nexpura/relay.env

# The plugin's zip is written where root stands, and needs neither settings nor ledger.
if [ "${1:-}" = plugin ]; then
    exec "$program" "$@"
fi

# Prints a text without the blanks around it.
trim() {
    text=${1#"${1%%[![:space:]]*}"}
    printf %s "${text%"${text##*[![:space:]]}"}"
}

# What the service's unit sets, and then its settings, much as systemd reads them: a name and a value a line, the value
# perhaps in quotes. A shell would take an address's & and $ for its own.
export HOME=/var/lib/nexpura-relay
export NEXPURA_DATABASE_URL=sqlite:///var/lib/nexpura-relay/nexpura.db
while IFS= read -r line || [ -n "$line" ]; do
    name=$(trim "${line%%=*}")
    case $line in *=*) ;; *) continue ;; esac
    case $name in '' | [0-9]* | *[!A-Z0-9_]*) continue ;; esac
    value=$(trim "${line#*=}")
    case $value in
        \"*\") value=${value#\"} value=${value%\"} ;;
        \'*\') value=${value#\'} value=${value%\'} ;;
    esac
    export "$name=$value"
done <"$settings"

umask 077
exec runuser -u nexpura-relay -- "$program" "$@"
