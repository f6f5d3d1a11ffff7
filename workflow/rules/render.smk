# Figures and tables, one job for each study. A job that fails leaves the last pictures as they are; the mark,
# which goes when a job begins, shows that they are not the ones that were asked for.


for study in STUDIES:

    rule:
        name:
            f"render_{study}"
        input:
            estimated(study),
        output:
            rendered(study),
            mark=touch(f"{RESULTS}/{study}/.drawn"),
        log:
            f"{LOGS}/render/{study}.log",
        benchmark:
            f"{BENCHMARKS}/render/{study}.tsv"
        threads: 1
        resources:
            mem_mb=lambda wildcards, attempt: 2000 * attempt,
            runtime=lambda wildcards, attempt: 10 * attempt,
        params:
            study=study,
            configuration=configuration_below(2, study, style=CONFIGURATION.style),
            code=code_digest(
                stage_module(study, "figures"), "initbias.pipeline.rendering"
            ),
        message:
            "Drawing {params.study} (mem_mb={resources.mem_mb}, runtime={resources.runtime} min)"
        shell:
            "initbias render {params.study} --config {params.configuration:q} > {log:q} 2>&1"
