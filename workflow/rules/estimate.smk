# From measurements to estimates, claims and costs.


rule estimate:
    input:
        lambda wildcards: measurements_of(wildcards.study),
    output:
        f"{RESULTS}/{{study}}/estimates.parquet",
    log:
        f"{LOGS}/estimate/{{study}}.log",
    benchmark:
        f"{BENCHMARKS}/estimate/{{study}}.tsv"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        configuration=configuration_below(1),
        code=lambda wildcards: code_of("estimate", wildcards.study),
    message:
        "Estimating {wildcards.study} (mem_mb={resources.mem_mb}, runtime={resources.runtime} min)"
    shell:
        "initbias estimate {wildcards.study} --config {params.configuration:q} > {log:q} 2>&1"


rule judge:
    input:
        [estimated(study) for study in STUDIES],
    output:
        f"{RESULTS}/claims.csv",
        f"{RESULTS}/papers.csv",
        report(
            f"{RESULTS}/claims.html",
            caption="../report/claims.rst",
            category="Claims",
            labels={"table": "claims"},
        ),
    log:
        f"{LOGS}/judge.log",
    benchmark:
        f"{BENCHMARKS}/judge.tsv"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        configuration=configuration_below(0, *STUDIES),
        code=code_of("claims", *STUDIES),
    message:
        "Judging the claims (mem_mb={resources.mem_mb}, runtime={resources.runtime} min)"
    shell:
        "initbias judge --config {params.configuration:q} > {log:q} 2>&1"


rule cost:
    input:
        [measurements_of(study) for study in STUDIES],
    output:
        report(
            f"{RESULTS}/cost.csv",
            caption="../report/cost.rst",
            category="Cost",
            labels={"table": "cost of shards"},
        ),
    log:
        f"{LOGS}/cost.log",
    benchmark:
        f"{BENCHMARKS}/cost.tsv"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        configuration=configuration_below(0, *STUDIES),
        code=code_digest("initbias.pipeline.stages"),
    message:
        "Collecting the cost of all shards (mem_mb={resources.mem_mb}, runtime={resources.runtime} min)"
    shell:
        "initbias cost --config {params.configuration:q} > {log:q} 2>&1"
