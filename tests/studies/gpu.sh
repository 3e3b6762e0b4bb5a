#!/bin/bash
# What a GPU does with engines, settings, batches and the default rows, in twelve minutes:
#   bash tests/studies/gpu.sh prepare    makes the environments (beforehand, where there is a network)
#   bash tests/studies/gpu.sh            measures; run it again and it goes on with the parts that are missing
# Each part has its own limit and ends by itself before it, so that one that hangs takes no time from the others.
# OUT: the folder of the results. DEVICE=cpu and SHARE=0.1 try the script where there is no GPU: a tenth of the time.
set -u
cd "$(dirname "$0")/../.." || exit 2
pesbench=${PESBENCH:-.venv/bin/pesbench}
out=${OUT:-results/gpu}
device=${DEVICE:-cuda}
share=${SHARE:-1}
mace=${MACE:-mace-mp-0-small}
engines=${ENGINES:-torch-sim}
orb=${ORB:-orb-v3-conservative-inf-omat}
uma=${UMA:-uma-s-1p2}
grace=${GRACE:-grace-2l-oam}
batched=${BATCHED:-mace-mp-0-small,orb-v3-conservative-inf-omat,7net-0}
defaults=${DEFAULTS:-}  # none: all that run on such a device
mkdir -p "$out" || exit 2

of() { awk "BEGIN { print $1 * $share }"; }

if [ "${1:-}" = prepare ]; then
    exec $pesbench prepare $(echo "$mace,$orb,$uma,$grace,$batched" | tr , '\n' | sort -u) --device "$device"
fi

failed=0
part() { # NAME LIMIT_S WORDS...: what it prints goes to NAME.txt once it is done, what it says meanwhile to NAME.log
    name=$1 limit=$(of "$2")
    shift 2
    if [ -e "$out/$name.txt" ]; then
        echo "$name: there already"
        return
    fi
    echo "$name: at most $limit s"
    timeout --kill-after=10 "$limit" $pesbench "$@" --device "$device" --output "$out/runs" \
        > "$out/$name.part" 2> "$out/$name.log"
    status=$?
    if [ $status -le 1 ]; then # 1: measured, but not everything is well
        mv "$out/$name.part" "$out/$name.txt"
    else
        failed=1
        [ $status -lt 124 ] || echo "$name: not done in $limit s; what it measured is in $out/runs"
        [ $status -ge 124 ] || echo "$name: $(tail -n 1 "$out/$name.log")"
    fi
}

# 720 seconds in all; the most wanted first
part mace-engines 170 engines "$mace" --engines "$engines" --atoms 18,576 --budget "$(of 120)" --json
part orb 90 tune "$orb" --threads 1 --budget "$(of 65)" --json
part uma 90 tune "$uma" --threads 1 --budget "$(of 65)" --json
part mace 70 tune "$mace" --threads 1 --budget "$(of 45)" --json
part grace 70 run --methods "$grace" --protocols replay --limit 8 --rounds 2 --budget "$(of 30)" --no-page --json
part throughput 110 run --methods "$batched" --protocols throughput --rounds 1 --limit 32 --budget "$(of 25)" \
    --no-page --json
part defaults 120 check-gpu $defaults --minutes "$(of 1.7)"
exit $failed
