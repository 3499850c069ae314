#!/bin/sh
# The relay's commands on a server, installed as /usr/bin/nexpura-relay: they run as the service of that name runs, as
# its user, with its settings, on its ledger. Without this a command would begin a ledger of its own in the folder where
# somebody stands, and name no address but this machine's.
set -eu

if [ "$(id -u)" != 0 ]; then
    echo "nexpura-relay: only root may read its settings and its ledger: sudo nexpura-relay $*" >&2
    exit 1
fi

# What the service's unit sets, and then its settings, read as systemd reads them: a name and a value a line, the value
# perhaps in quotes. A shell would take an address's & and $ for its own.
export NEXPURA_DATABASE_URL=sqlite:///var/lib/nexpura-relay/nexpura.db
while IFS= read -r line || [ -n "$line" ]; do
    case $line in NEXPURA_*=*) ;; *) continue ;; esac
    value=${line#*=}
    case $value in
        \"*\") value=${value#\"} value=${value%\"} ;;
        \'*\') value=${value#\'} value=${value%\'} ;;
    esac
    export "${line%%=*}=$value"
done </etc/nexpura/relay.env

umask 077
exec runuser -u nexpura-relay -- /usr/lib/nexpura/nexpura-relay "$@"
