"""Whether a run is whole: at work, finished, or stopped or killed half-way, from its files and the job board."""

from dashboards.epochs import epochs_done
from dashboards.jobs import JobBoard
from dashboards.jobstate import JobState
from dashboards.runs import Run, number
from reward.claim import is_claimed


def half_way(run: Run, board: JobBoard | None = None) -> str:
    """What to know where a run has not gone through all its epochs, in words; empty where it has.

    Args:
        board: the studio's trainings; without them only the run's own files tell.
    """
    done = epochs_done(run)
    arguments = run.config.get("arguments")
    wanted = number(arguments.get("epochs")) if isinstance(arguments, dict) else None
    if wanted is None or done >= wanted:
        return ""
    far = f"{done} of {wanted:.0f} epochs"
    jobs = board.all() if board is not None else []
    job = next((job for job in jobs if job.output.resolve() == run.folder.resolve()), None)
    go_on = "To go on with it, press Go on in the Train tab under Runs, or run the same command with --resume."
    state = board.status(job).state if board is not None and job is not None else None
    if is_claimed(run.folder) or (state is not None and state.live):
        return f"It is at work and has done {far}: these figures will still change."
    if state is None:
        return f"It was stopped or killed after {far}. {go_on}"
    if state is JobState.STOPPED:
        return f"It was stopped after {far}. {go_on}"
    if state is JobState.LOST:
        return f"It was killed after {far}. {go_on}"
    return f"It failed after {far}. {go_on}" if state is JobState.FAILED else ""
