# Figures and tables, one job each. A job that fails leaves the last picture as it is; that it is not the
# one that was asked for is told by the mark, which goes when a job begins.


rule figure:
    input:
        lambda wildcards: measured(wildcards.study),
        f"{RESULTS}/{{study}}/estimates.parquet",
    output:
        touch(f"{RESULTS}/{{study}}/figures/.{{name}}.drawn"),
        update(f"{RESULTS}/{{study}}/figures/{{name}}.svg"),
        update(f"{RESULTS}/{{study}}/figures/{{name}}.pdf"),
        report(
            update(f"{RESULTS}/{{study}}/figures/{{name}}.png"),
            caption="../report/output.rst",
            category="Figures",
            subcategory="{study}",
            labels={"figure": "{name}"},
        ),
    log:
        f"{LOGS}/render/{{study}}/{{name}}.log",
    benchmark:
        f"{BENCHMARKS}/render/{{study}}/{{name}}.tsv"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        configuration=lambda wildcards: configuration_of(wildcards.study),
        code=lambda wildcards: code_digest(
            stage_module(wildcards.study, "figures"), "initbias.pipeline.rendering"
        ),
        caption=lambda wildcards: plan.outputs(wildcards.study)[wildcards.name].caption,
    message:
        "Drawing {wildcards.study} {wildcards.name} (mem_mb={resources.mem_mb}, runtime={resources.runtime} min)"
    shell:
        "initbias render {wildcards.study} {wildcards.name}"
        " --config {params.configuration:q} > {log:q} 2>&1"


use rule figure as table with:
    output:
        touch(f"{RESULTS}/{{study}}/tables/.{{name}}.drawn"),
        update(f"{RESULTS}/{{study}}/tables/{{name}}.md"),
        update(f"{RESULTS}/{{study}}/tables/{{name}}.tex"),
        report(
            update(f"{RESULTS}/{{study}}/tables/{{name}}.csv"),
            caption="../report/output.rst",
            category="Tables",
            subcategory="{study}",
            labels={"table": "{name}"},
        ),
    message:
        "Writing {wildcards.study} {wildcards.name} (mem_mb={resources.mem_mb}, runtime={resources.runtime} min)"
