"""HTML that all cards are made of: tables, words explained on hover, a table behind a chart."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

GLOSSARY: Final[Mapping[str, str]] = {
    "Accuracy": "share of pairs of one prompt that the model puts in the same order as people; ½ is guessing",
    "95 % interval": "where the accuracy would lie in 95 of 100 cases, were the prompts drawn anew (bootstrap)",
    "F1": "another look at the share of right orders, which balances misses and false alarms; 1 is perfect",
    "Loss": "how people's choices surprised the model (negative log-likelihood); .69 is guessing, lower is better",
    "Spearman": "how the order of scores within a prompt follows that of ratings: 1 the same, 0 not, −1 reversed",
    "MAE": "mean absolute error: by how many rating points a score misses the mean rating",
    "Calibration error": "by how much the model's stated sureness differs from how often it was right; 0 is best",
    "Pairs": "pairs of images with a winner that the figures stand on",
    "Ties": "pairs whose ratings differ too little to have a winner; left out",
    "Prompts": "prompts that the figures stand on; each counts the same",
    "One person": "how often one person orders two images as the mean of the others does, over all people and pairs",
    "Model there": "the model on the same pairs as one person, against the mean of the others",
    "Model less person": "what the model orders right more often (or less) than one person, with 95 % interval",
    "People's α": "how far the people who rated agree (Krippendorff's alpha): 1 if they give the same ratings, 0 if "
    "they might as well have drawn lots; with 95 % interval",
    "Percentile": "of 100 images that the run was trained on, so many have a lower combined score",
    "People without noise": "the correlation of ratings, had each image been rated by very many people",
    "Halo": "whether a person who rates an image higher than others on one head does so on the other: −1 to 1",
    "Weight": "the weight of one rating point of this head in the combined score; the weights sum to 100 %",
    "Weight × spread": "weight times how far this head's scores differ between images: what it moves in practice",
    "Lost without": "accuracy of the combined score that is lost when this head is left out and the others refitted",
}

PEOPLE_GLOSSARY: Final[Mapping[str, str]] = {
    "α": "Krippendorff's alpha, interval level: 1 if people give the same ratings, 0 if they might as well have "
    "drawn lots, below 0 if they oppose one another",
    "α interval": "where alpha would lie in 95 of 100 cases, were the prompts drawn anew (bootstrap)",
    "Reliable?": "Krippendorff's thresholds: reliable from .8, from .667 good for tentative conclusions only, else low",
    "Signal": "whether the person's ratings follow the others' surely: no signal where the interval of the correlation "
    "includes 0, where all ratings are the same, or where they come too fast",
    "Bias": "rating points above the others, mean over heads (estimate of ITU-T P.910)",
    "Follows others": "correlation with the mean of the others within prompts, over all heads, with 95 % interval",
    "Spread": "standard deviation of the person's ratings: small means a narrow part of the scale",
    "Others' spread": "standard deviation of the others' ratings of the same images",
    "Halo": "mean correlation between two heads of the person: near 1 means one impression on all heads",
    "Others' halo": "the same, mean over the other people",
    "Repeats": "blind repeats: mean change when the same image came again unannounced, share within a point, number",
    "Gold": "share of the person's ratings of gold images that lie in the expected band, and how many these are",
    "Seconds": "median time an image",
}

PROJECT_GLOSSARY: Final[Mapping[str, str]] = {
    "Pace": "ratings an hour while working: pauses of five minutes and more are left out; told from six ratings on",
    "Median time": "half of the person's ratings took longer",
    "Done": "images with all the ratings that are wanted",
    "Begun": "images with a rating, but not with all that are wanted",
    "Untouched": "images that nobody has rated",
}


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, wide: bool = False, tall: bool = False) -> str:
    """A table of cells that are HTML already; it scrolls within itself where the screen is narrow.

    With `wide`, cells are never broken to make it fit; with `tall`, many rows scroll under their head.
    """
    kinds = (" studio-wide" if wide else "") + (" studio-tall" if tall else "")
    head = "".join(f"<th scope=col>{term(column)}</th>" for column in columns)
    body = "".join(
        "<tr>"
        + "".join(f"<th scope=row>{cell}</th>" if k == 0 else f"<td>{cell}</td>" for k, cell in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="studio-table{kinds}" tabindex="0"><table><thead><tr>'
        f"{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def term(word: str) -> str:
    """A word, escaped; with its explanation on hover where one of the glossaries has it."""
    explained = GLOSSARY.get(word) or PEOPLE_GLOSSARY.get(word) or PROJECT_GLOSSARY.get(word)
    return f'<abbr title="{escape(explained)}">{escape(word)}</abbr>' if explained else escape(word)


def behind(columns: Sequence[str], rows: Sequence[Sequence[str]], what: str = "The numbers as a table") -> str:
    """The table behind a chart, folded; its cells are text and escaped here."""
    if not rows:
        return ""
    cells = [[escape(cell) for cell in row] for row in rows]
    return f'<details class="studio-behind"><summary>{escape(what)}</summary>{table(columns, cells)}</details>'


def dot(colour: str) -> str:
    """A spot of a head's colour."""
    return f'<i class="studio-dot" style="background:{colour}"></i>'


def progress_bar(fraction: float | None, what: str = "Progress") -> str:
    """How far something is; None where that isn't known. `what` it is, for those who hear the page."""
    named = f'role="progressbar" aria-label="{escape(what)}"'
    if fraction is None:
        return f'<div class="studio-bar studio-bar-unknown" {named}><i></i></div>'
    percent = round(100 * fraction)
    return (
        f'<div class="studio-bar" {named} aria-valuenow="{percent}" aria-valuemin="0" aria-valuemax="100">'
        f'<i style="width:{percent}%"></i></div>'
    )


def glossary(words: Mapping[str, str] = GLOSSARY) -> str:
    """All explanations, for those who can't hover."""
    entries = "".join(f"<dt>{escape(word)}</dt><dd>{escape(text)}</dd>" for word, text in words.items())
    return f'<details class="studio-behind"><summary>What these words mean</summary><dl>{entries}</dl></details>'


def notes(lines: Sequence[str]) -> str:
    """A list of plain sentences, escaped; empty where there is none."""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<ul class="studio-notes">{items}</ul>' if items else ""
