# The document, made of what all studies gave. Not part of `all`: it needs typst, which is optional.
PAPER = os.path.relpath(SOURCE / "paper")


rule paper:
    input:
        f"{RESULTS}/claims.csv",
        f"{RESULTS}/papers.csv",
        f"{RESULTS}/cost.csv",
        [f"{RESULTS}/{study}/.drawn" for study in STUDIES],
        [local(str(file)) for file in sorted(Path(PAPER).rglob("*")) if file.is_file()],
    output:
        f"{RESULTS}/document/initbias.pdf",
    log:
        f"{LOGS}/paper.log",
    benchmark:
        f"{BENCHMARKS}/paper.tsv"
    threads: 1
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        configuration=configuration_below(1, *STUDIES),
        sources=lambda wildcards: PAPER,
        code=code_digest("initbias.pipeline.document"),
    message:
        "Writing the paper (mem_mb={resources.mem_mb}, runtime={resources.runtime} min)"
    shell:
        "initbias paper --config {params.configuration:q} --sources {params.sources:q} > {log:q} 2>&1"
