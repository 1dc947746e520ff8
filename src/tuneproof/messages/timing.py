"""Sentences about the time of a run, and the screen of `plan`: key -> (English, Chinese)."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "time.ahead": (
        "It will take about {time} in all, {train} of it for training. --time sets a limit.",
        "全程约需 {time}，其中训练 {train}。可用 --time 限定时间。",
    ),
    "time.ahead_limited": (
        "It will take about {time} in all, {train} of it for training.",
        "全程约需 {time}，其中训练 {train}。",
    ),
    "time.no_device": (
        "How long it takes on a card that is not here is not known: `run` measures it in its first seconds.",
        "本机没有这块显卡，无法预计用时：`run` 会在最初几秒内测速并据此安排 --time。",
    ),
    "time.cut": ("Cut to end in time: {cut}", "为按时结束而削减：{cut}"),
    # The screen of `plan`.
    "cli.plan.speeds.remembered": (
        "The times are estimates, from speeds that earlier runs measured on this device.",
        "时间是估计值，依据此前在本设备上运行时测得的速度。",
    ),
    "cli.plan.speeds.probed": (
        "The times are estimates, from a two-second probe of this device: the first run measures it.",
        "时间是估计值，依据对本设备两秒钟的探测；首次运行时会实测。",
    ),
    "cli.plan.headline": (
        "{peak} at the peak, {share} of the limit of {limit}.",
        "峰值 {peak}，占上限 {limit} 的 {share}。",
    ),
    "cli.plan.memory": ("Memory at the peak: {model} on {device}", "峰值时的内存：{model}，设备 {device}"),
    "cli.plan.phases": ("Peak by phase", "各阶段的峰值"),
    "cli.plan.from_table": (
        "The model is not on this machine: its dimensions are from the built-in table.",
        "本机没有这个模型：尺寸取自内置的模型表。",
    ),
    "cli.plan.estimated_lengths": (
        "Its tokenizer is not here: lengths are estimated from the characters, on the long side.",
        "本机没有它的分词器：长度按字符数估算（偏长）。",
    ),
    "cli.plan.more": ("What one more gigabyte would buy", "再多 1 GB 能换来什么"),
    "cli.plan.faster": ("{changed}; {share} less training time", "{changed}；训练时间减少 {share}"),
    "cli.plan.smaller": ("Smaller models of the family that fit", "同系列中放得下的较小模型"),
    "cli.plan.cards": ("Other cards", "其他显存大小"),
    "cli.plan.card.fits": ("fits", "放得下"),
    "cli.plan.card.tight": ("tight", "勉强放得下"),
    "cli.plan.card.no": ("no", "放不下"),
    "cli.plan.seconds": ("Time of the whole run", "全程用时"),
    "cli.plan.time_free": ("Time: {planned}", "时间：{planned}"),
    "cli.plan.time": ("Time: {planned} of {limit}", "时间：{planned}，上限 {limit}"),
    "cli.plan.sizes": (
        "{epochs} epochs, {candidates} candidates on {select} select rows, {test} test rows, {retention} probes",
        "{epochs} 轮；{candidates} 个候选，各用 {select} 条选择集数据；{test} 条测试数据；{retention} 道通用题",
    ),
}
