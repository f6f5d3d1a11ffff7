# Shards, several of them a job: kernels solved or networks trained, on a GPU if one is given to the job. A job
# leaves what is measured as it is, so that it does not matter which shards share one.


for name, batch in BATCHES.items():

    rule:
        name:
            name
        output:
            [kept(file) for file in measured(batch.shards)],
        log:
            f"{LOGS}/measure/{batch.study}/{batch.name}.log",
        benchmark:
            f"{BENCHMARKS}/measure/{batch.study}/{batch.name}.tsv"
        threads: 1
        resources:
            gpu=GPUS * batch.shards[0].gpu,
            device=CONFIGURATION.device,
            data_cache=CONFIGURATION.data_cache,
            mem_mb=measure_memory(batch),
            runtime=measure_minutes(batch),
        params:
            study=batch.study,
            shards=json.dumps(batch.written),
            results=results_above(2),
            code=code_of("measure", batch.study),
        message:
            f"Measuring {batch.study} {batch.name}{more(batch)}"
            " (gpu={resources.gpu}, mem_mb={resources.mem_mb}, runtime={resources.runtime} min)"
        # Hundreds of shards are more than an argument of a program may hold: 128 KiB on Linux.
        shell:
            "printf %s {params.shards:q} | initbias measure {params.study} --shards -"
            " --results {params.results:q}"
            " --device {resources.device} --gpus {resources.gpu} --threads {threads}"
            " --data-cache={resources.data_cache:q} > {log:q} 2>&1"


rule measure:
    input:
        lambda wildcards: measured_by_all(),
