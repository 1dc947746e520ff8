"""Findings about one answer: empty, a placeholder, a refusal, cut off, running on into the next turn, an echo."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tuneproof.data.findings import Case, note_defect, quote_text
from tuneproof.data.language import plain_form, width
from tuneproof.records import Finding
from tuneproof.records.data import Severity

PLACEHOLDERS = {
    *("todo", "tbd", "fixme", "xxx", "placeholder", "lorem ipsum", "insert answer here", "your answer here"),
    *("<noinput>", "noinput", "no input", "<nooutput>", "nooutput", "no output", "<empty>", "[empty]", "<no output>"),
    *("待补充", "待填写", "待定", "略", "同上", "见上", "占位", "占位符", "无输出", "<无输出>", "此处填写答案", "测试"),
}
VAGUE_PLACEHOLDERS = {
    "",
    "n/a",
    "na",
    "nan",
    "none",
    "null",
    "nil",
    "undefined",
    "-",
    "--",
    "---",
    "/",
    "?",
    "无",
    "暂无",
    "空",
}
"""Placeholders among long answers, good labels among short ones ("order number: none")."""
NO_INPUT = {"<noinput>", "noinput", "no input", "<no input>", "<无输入>", "无输入"}
LONGEST_PLACEHOLDER = 100
"""Characters, white space and marks around it among them."""
SAME_START, SHORT_START = 60, 8
"""Characters by which most answers are told from their questions."""
LONG_REFUSAL = 240
"""Width in letters."""

REFUSAL = re.compile(
    r"""\s*(?:(?:i['’]?\s?a?m\s+|i\s+am\s+)?(?:very\s+|so\s+|really\s+)?(?:sorry|apologi[sz]e|unfortunately)[^.!\n]{0,60}?\b
        (?:can(?:no|['’]?)t|not\s+able|unable|won['’]t|don['’]t\s+have)
      | as\s+an?\s+(?:ai|artificial\s+intelligence|language\s+model|large\s+language)[^.!\n]{0,60}?\b
        (?:cannot|can['’]?t|don['’]?t|do\s+not|am\s+not|unable|lack)
      | i\s+(?:can(?:no|['’]?)t|am\s+(?:unable|not\s+able)\s+to|won['’]t)\s+
        (?:help|assist|comply|fulfill|provide|do\s+that|answer|access|browse)
      | (?:非常|很|十分)?(?:抱歉|对不起|遗憾)[，,。！!\s]*
        (?:我|作为|由于|但)[^。！\n]{0,20}(?:不能|无法|不可以|没有办法|没法)
      | 作为(?:一个|一名|一款)?[^，,。\n]{0,8}(?:人工智能|AI|语言模型|机器人|智能助手)
        [^。\n]{0,12}[，,][^。\n]{0,16}(?:不能|无法|没有)
      | 我(?:不能|无法)(?:提供|回答|协助|帮助|完成|满足)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
TURN = re.compile(
    r"""(?m)^[ \t]*(?:[#*\d.\s]{0,6})
        (?:<\|?(?:user|human|assistant)\|?>
         |(?:\#+\s*|\*\*|\d+\.\s*)?(?:Instruction|Human|User|Assistant|Response|指令|用户|人类|助手|问题|提问)(?:\*\*)?\s*[:：])""",
    re.VERBOSE,
)
SPEAKERS = ("nstruction", "uman", "ser", "ssistant", "esponse", "指令", "用户", "人类", "助手", "问题", "提问")
"""Without a part of one of these there is no turn: looked for first, since it takes a tenth of the time."""
DIALOGUE = re.compile(
    r"dialog|conversation|transcript|chat|interview|script|prompt|对话|会话|聊天|采访|访谈|剧本|问答", re.IGNORECASE
)


def find_empty_instruction(case: Case) -> Iterator[Finding]:
    """No user turn says anything."""
    if not case.prompt.strip():
        yield note_defect(case, "empty_instruction", "error")


def find_empty_output(case: Case) -> Iterator[Finding]:
    """An answer without text: the last one, or one on the way, would teach the model to say nothing."""
    if any(message.role == "assistant" and not message.content.strip() for message in case.row.messages):
        yield note_defect(case, "empty_output", "error")


def judge_placeholder(case: Case) -> int:
    """How far an answer stands for an answer: 2 certainly, 1 unless its task is one of labels, 0 not at all."""
    if len(case.answer) > LONGEST_PLACEHOLDER:
        return 0
    answer = " ".join(case.answer.casefold().split()).strip(".。!！…")
    return 2 if answer in PLACEHOLDERS else int(answer in VAGUE_PLACEHOLDERS)


def find_absent_input(case: Case) -> Iterator[Finding]:
    """An input that says only that there is none."""
    last = case.prompt.rsplit("\n", 1)[-1]
    if len(last) <= LONGEST_PLACEHOLDER and plain_form(last) in NO_INPUT:
        yield note_defect(case, "placeholder_output", "info", variant="input")


def find_refusals(case: Case) -> Iterator[Finding]:
    """An answer that opens by refusing; where it goes on at length, it may help all the same."""
    if REFUSAL.match(case.answer):
        severity: Severity = "warning" if width(case.answer) <= LONG_REFUSAL else "info"
        yield note_defect(case, "refusal_output", severity, text=quote_text(case.answer))


def find_leaked_turns(case: Case) -> Iterator[Finding]:
    """An answer that goes on with the next turn's label. A dialogue that was asked for is none."""
    if not any(word in case.answer for word in SPEAKERS):
        return
    found = [match for match in TURN.finditer(case.answer) if match.start() > 0]
    if found and not TURN.match(case.answer) and not DIALOGUE.search(case.prompt):
        yield note_defect(case, "leaked_turn", "warning", text=quote_text(found[0].group()))


def find_echoes(case: Case) -> Iterator[Finding]:
    """An answer that is the question again, with at most a fifth added."""
    start, asked = plain_form(case.answer[:SAME_START]), plain_form(case.prompt[:SAME_START])
    if start[:SHORT_START] != asked[:SHORT_START] and min(len(start), len(asked)) >= SHORT_START:
        return
    prompt, answer = plain_form(case.prompt), plain_form(case.answer)
    first_line = plain_form(case.prompt.split("\n", 1)[0])
    for question in {prompt, first_line}:
        if width(question) >= 20 and answer.startswith(question) and len(answer) <= 1.2 * len(question):
            yield note_defect(case, "echo", "warning", text=quote_text(case.answer))
            return
