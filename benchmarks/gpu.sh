#!/usr/bin/env bash
# Measure every claim about a GPU in at most ten minutes.
#
#     benchmarks/gpu.sh                     # all parts
#     benchmarks/gpu.sh search encoding     # some of them
#     benchmarks/gpu.sh --tiny              # the same code in two minutes, on the CPU if there is no GPU
#
# It writes two files as the parts end: gpu.tsv, the table of claims with a line for each part, and gpu.log, all that
# the parts print. Each part is a process of its own with a time limit: one that fails or takes too long leaves a line,
# and the next one starts. The status is 0 if all parts ran to their end.
#
# OUT: folder of the two files (results/gpu). LIMIT: seconds for all parts (600). PYTHON: the interpreter (python3).
set -uo pipefail

# Name, most seconds, arguments of Python. What matters most comes first: the time may end before the parts do.
parts="
tests               120  -m pytest -q -n 4 -p no:cacheprovider tests/gpu
transport            60  benchmarks/transport.py --part small
transport-large      60  benchmarks/transport.py --part large
share                60  benchmarks/distillation.py --part share
search               90  benchmarks/search.py
encoding            120  benchmarks/encoding.py --part minilm
distillation-mbert  120  benchmarks/distillation.py --part mbert
distillation        180  benchmarks/distillation.py --part minilm
encoding-e5         120  benchmarks/encoding.py --part e5-small
distillation-e5     120  benchmarks/distillation.py --part e5-small
large-vocabulary     90  benchmarks/large_vocabulary.py
"

tiny=()
if [[ ${1:-} == --tiny ]]; then
  tiny=(--tiny)
  shift
fi
known=$(sed -n 's/ .*//p' <<< "$parts")
for name in "$@"; do
  grep -qxF -- "$name" <<< "$known" || { echo "gpu.sh: no part '$name'; the parts are:" $known >&2; exit 2; }
done
python=${PYTHON:-python3}
out=$(realpath -m "${OUT:-results/gpu}")
cd "$(dirname "$0")/.." || exit 2

device=cuda
if ! "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
  [[ ${tiny[*]} ]] || { echo "gpu.sh: torch finds no GPU; --tiny runs every part on the CPU" >&2; exit 2; }
  device=cpu
  "$python" -c 'import triton' 2> /dev/null && export TRITON_INTERPRET=1 # the fused kernel then runs on the CPU
fi
export HF_HUB_OFFLINE=1 PYTHONUNBUFFERED=1

mkdir -p "$out"
table=$out/gpu.tsv log=$out/gpu.log
printf 'claim\tmeasured\tbar\tresult\n' > "$table"
{ nvidia-smi; "$python" --version; "$python" -m pip list; } > "$log" 2>&1
printed=$(mktemp)
trap 'rm -f "$printed"' EXIT

limit=${LIMIT:-600} all_ran=0
while read -r name most arguments; do
  [[ $name ]] && { [[ $# == 0 ]] || [[ " $* " == *" $name "* ]]; } || continue
  left=$((limit - SECONDS)) began=$SECONDS
  if ((left < 10)); then
    result="no time left"
  else
    options=()
    [[ $arguments == benchmarks/* ]] && options=(--device "$device" "${tiny[@]}")
    echo "== $name" | tee -a "$log"
    timeout -k 5 $((most < left ? most : left)) "$python" $arguments "${options[@]}" < /dev/null 2>&1 |
      tee "$printed" >> "$log"
    status=${PIPESTATUS[0]}
    grep -P '\t(met|short|no GPU|no peer|no bf16)$' "$printed" >> "$table"
    case $status in
      0) result=ran ;;
      124 | 137) result="stopped at its limit" ;;
      *) result="failed, status $status" ;;
    esac
  fi
  [[ $result == ran ]] || all_ran=1
  printf 'part %s\t%s s\t<= %s s\t%s\n' "$name" $((SECONDS - began)) "$most" "$result" >> "$table"
done <<< "$parts"
cat "$table"
exit $all_ran
