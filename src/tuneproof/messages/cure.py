"""What the user reads about remedies against forgetting and degeneration. key -> (English, Chinese)."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "cli.option.cure": (
        "If the gain is real but too much is forgotten or answers degenerate, try remedies until one ships; on top of "
        "--time.",
        "提升属实但遗忘过多或回答退化时，尝试补救；不计入 --time。",
    ),
    "stage.cure": ("Trying remedies", "尝试补救"),
    "cure.title": ("The cure", "补救"),
    "cure.ahead": (
        "The gain is real, but too much is forgotten or answers degenerate. Remedies: {n}, the cheapest first, about "
        "{time} where all are needed; --time does not cover them.",
        "提升属实，但遗忘过多或回答退化。共有 {n} 种补救办法，从代价最小的开始，全部尝试约需 {time}；不计入 --time 的时限。",
    ),
    "cure.begin": ("Remedy {at} of {n}, about {time}: {remedy}", "第 {at}/{n} 种办法，约 {time}：{remedy}"),
    "cure.line": ("  {line}", "  {line}"),
    "cure.name.first": ("the first attempt", "首次尝试"),
    "cure.name.cure-scale": ("a smaller scale", "更小的缩放"),
    "cure.name.cure-earlier": ("an earlier checkpoint", "更早的检查点"),
    "cure.name.cure-replay": ("more replay: {replay} of the tokens", "更多回放：占 token 的 {replay}"),
    "cure.name.cure-rate": (
        "a lower learning rate: {rate}, with {replay} replay",
        "更低的学习率：{rate}，回放 {replay}",
    ),
    "cure.none.cure-scale": (
        "Nothing to try: the chosen checkpoint has no smaller scale among the candidates.",
        "无从尝试：所选检查点没有更小缩放的候选。",
    ),
    "cure.none.cure-earlier": (
        "Nothing to try: no earlier checkpoint among the candidates could be likely to ship.",
        "无从尝试：候选中没有可能达到上线标准的更早检查点。",
    ),
    "cure.none.cure-replay": (
        "Nothing to try: half of the tokens are replay already.",
        "无从尝试：回放已占 token 的一半。",
    ),
    "cure.failed": ("Its training failed: {why}", "训练失败：{why}"),
    "cure.foreseen": (
        "Checkpoint {step} at scale {scale}: select score {score}, {lost} lost and {gained} gained of {probes} general "
        "questions, chance to ship {chance}.",
        "检查点 {step}，缩放 {scale}：选择集得分 {score}，{probes} 道通用题中丢失 {lost}、新增 {gained}，"
        "达到上线标准的可能性 {chance}。",
    ),
    "cure.foreseen_gain": (
        "Checkpoint {step} at scale {scale}: select score {score}, chance to ship {chance}.",
        "检查点 {step}，缩放 {scale}：选择集得分 {score}，达到上线标准的可能性 {chance}。",
    ),
    "cure.foreseen_title": (
        "Foreseen, without the test rows, from what the run's own choice is made by:",
        "以下是不使用测试集的预估，依据与运行自身选择检查点时相同：",
    ),
    "cure.not_looked": ("Not measured on the test rows.", "没有在测试集上评测。"),
    "cure.found": (
        "The {look} look at the test rows: {decision}, gain {gain} ({interval}), {lost} lost and {gained} gained.",
        "第{look}次使用测试集：{decision}，提升 {gain}（{interval}），丢失 {lost}，新增 {gained}。",
    ),
    "cure.look.1": ("first", "一"),
    "cure.look.2": ("second", "二"),
    "cure.look.3": ("third", "三"),
    "cure.look.4": ("fourth", "四"),
    "cure.look.5": ("fifth", "五"),
    "cure.adopted": (
        "This is the cured adapter ({remedy}), found at the {look} look at the test rows; the first attempt "
        "({decision}) is kept in trials/first.",
        "这是补救后的适配器（{remedy}），在第{look}次使用测试集时得到；首次尝试（{decision}）保存在 trials/first。",
    ),
    "cure.ships": ("A remedy ships and was adopted.", "有一种补救办法达到上线标准，已采用。"),
    "cure.kept": ("The first attempt stands as it was.", "首次尝试保持不变。"),
    "cure.no_gain": (
        "No remedy was tried: they are against forgetting and degeneration, and only for a gain over base and control "
        "that the first look has shown.",
        "没有尝试补救：补救只针对遗忘和退化，并且要求首次评测已证实相对基座和对照的提升。",
    ),
    "cure.no_rows": (
        "No remedy was tried: there are no select rows to foresee by which of them could ship.",
        "没有尝试补救：没有选择集，无法预估哪种办法可能达到上线标准。",
    ),
    "cure.forgets": (
        "None ships: every remedy that could be tried still forgets too much.",
        "没有一种能上线：凡是能尝试的办法，遗忘仍然过多。",
    ),
    "cure.degenerates": (
        "None ships: with every remedy that could be tried the answers still degenerate.",
        "没有一种能上线：凡是能尝试的办法，回答仍然退化。",
    ),
    "cure.little": (
        "None ships: every remedy that forgets little enough also learns too little for its gain to be shown.",
        "没有一种能上线：遗忘够少的办法，学到的也太少，提升无法证实。",
    ),
    "cure.open": (
        "None ships: no remedy could be shown to forget little enough and learn enough at once.",
        "没有一种能上线：没有哪种办法能证实既遗忘够少、又学得够多。",
    ),
    "cure.nothing": (
        "None ships: there was no remedy that could be tried.",
        "没有一种能上线：没有可以尝试的办法。",
    ),
    "cure.note": (
        "Each is foreseen from the select rows and a slice of the general questions; what is likely to ship is measured "
        "on the test rows. Where nothing was learnt, no remedy is tried, so false gains become no more frequent; but "
        "each further look is another chance that the forgetting falls below the limit by luck.",
        "每种办法先用选择集和一部分通用题预估，有望达标的才在测试集上评测。没有真实提升就不会尝试，因此不会增加虚假提升；"
        "但每多用一次测试集，遗忘就多一次碰巧低于上限的机会。",
    ),
    "select.remedy": (
        "Tried because too much was forgotten, or answers degenerated, with the run's first choice.",
        "首次选择遗忘过多或回答退化，因此改用它。",
    ),
}
