# The fastest plan in 7 GiB a GPU: 4 or 8 ranks, 8 or 16 GPUs for the experts, 4 or 20 SMs.
pipescope plan dualpipe.yaml --pipeline 4,8 --tensor 1 --expert 8,16 --micro-batch 1 \
    --recompute deepseek_v3 --sms 4,20 --schedules 1f1b,zb1p,dualpipe,dualpipev --memory 7GiB --top 4
