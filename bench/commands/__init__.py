"""What the verbs of the command line do, each in a few calls to the rest of the house.

Imports that take long (pandas, SciPy, matplotlib) are made where they are needed, so that a short answer and a
refusal come at once.
"""

from bench.commands import checks, comparing, histories, regressing, results, run, setup

VERBS = {
    "list": setup.list_methods,
    "doctor": setup.doctor,
    "prepare": setup.prepare,
    "run": run.run,
    "table": results.table,
    "plot": results.plot,
    "env": setup.env,
    "conform": checks.conform,
    "overhead": checks.overhead,
    "compare": comparing.compare,
    "regress": regressing.regress,
    "baseline": comparing.baseline,
    "history": histories.history,
}
