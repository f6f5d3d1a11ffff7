# One shard: kernels solved or networks trained, on a GPU if one is given to the job.


rule measure:
    output:
        measurements=f"{RESULTS}/{{study}}/measurements/{{shard}}.parquet",
        provenance=f"{RESULTS}/{{study}}/measurements/{{shard}}.json",
    log:
        f"{LOGS}/measure/{{study}}/{{shard}}.log",
    benchmark:
        f"{BENCHMARKS}/measure/{{study}}/{{shard}}.tsv"
    threads: 1
    resources:
        gpu=measure_gpus,
        device=CONFIGURATION.device,
        data_cache=CONFIGURATION.data_cache,
        mem_mb=measure_memory,
        runtime=measure_minutes,
    params:
        specification=lambda wildcards: json.dumps(
            shard_of(wildcards).specification.written
        ),
        code=lambda wildcards: code_of("measure", wildcards.study),
    message:
        "Measuring {wildcards.study} {wildcards.shard} (gpu={resources.gpu}, mem_mb={resources.mem_mb}, runtime={resources.runtime} min)"
    shell:
        "initbias measure {wildcards.study} {wildcards.shard}"
        " --specification {params.specification:q} --output {output.measurements:q}"
        " --device {resources.device}"
        " --gpus {resources.gpu} --threads {threads}"
        " --data-cache={resources.data_cache:q} > {log:q} 2>&1"
