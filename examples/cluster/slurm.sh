#!/usr/bin/env bash
# Slurm: a Ray cluster over the nodes of the job. `sbatch slurm.sh`; requeued, the same command goes on from the last checkpoint.
#SBATCH --job-name=tuneproof
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --requeue
#SBATCH --time=24:00:00
set -euo pipefail
shared=/shared            # mounted by every node under this path
port=6379

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
address=$(srun --nodes=1 --ntasks=1 --nodelist="$head" hostname --ip-address | awk '{print $1}')
export RAY_USAGE_STATS_ENABLED=0

srun --nodes=1 --ntasks=1 --nodelist="$head" ray start --head --node-ip-address="$address" --port="$port" --block &
sleep 20
srun --nodes="$((SLURM_JOB_NUM_NODES - 1))" --ntasks="$((SLURM_JOB_NUM_NODES - 1))" --exclude="$head" \
  ray start --address="$address:$port" --block &
sleep 20

srun --overlap --nodes=1 --ntasks=1 --nodelist="$head" \
  tuneproof run "$shared/rows.jsonl" --model "$shared/my-model" --out "$shared/runs/first" --cluster "$address:$port"
