"""The report's additions, the playground, and what the scripts say. key -> (English, Chinese).

`web.js.*` are the words of the scripts; `{}` in them is filled there.
"""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    # Report
    "web.report.play": ("Playground", "试玩对照"),
    "web.report.live": ("How it ran", "运行过程"),
    "web.report.download": ("Report as a file", "下载报告"),
    "web.report.csv": ("Answers as CSV", "下载回答（CSV）"),
    "web.report.marked": (
        "{count} references are marked as wrong. On the {n} other items the base scores {base} and the tuned model {tuned}.",
        "已有 {count} 条参考答案被标为错误。其余 {n} 题上，基座得分 {base}，微调后得分 {tuned}。",
    ),
    "web.report.marked_how": (
        "The verdict stays as it was measured: mend the rows and run again.",
        "结论保持测得的结果不变：请修正这些数据后重新运行。",
    ),
    # Playground
    "web.play.title": ("Playground", "试玩对照"),
    "web.play.no_adapter": ("This run has no adapter yet.", "这次运行还没有适配器。"),
    "web.play.starting": ("Loading the model …", "正在加载模型……"),
    "web.play.try": ("Try a test prompt:", "试试测试题："),
    "web.play.settings": ("Settings", "设置"),
    "web.play.max_tokens": ("Longest answer, tokens", "回答最长（token）"),
    "web.play.temperature": ("Temperature", "温度"),
    "web.play.seed": ("Seed", "随机种子"),
    "web.play.scale": ("Strength of the adapter", "适配器强度"),
    "web.play.scale_how": (
        "0 is the base, 1 the tuned model as it was measured. Moving it asks again.",
        "0 是基座，1 是测得结论时的微调模型。拖动后会重新作答。",
    ),
    "web.play.send": ("Answer", "作答"),
    "web.play.halt": ("Halt", "停下"),
    "web.play.marks": (
        "Marked tokens: solid underline, only in the tuned answer; dashed underline, only in the base's.",
        "标记的 token：实线下划线表示只在微调后的回答中，虚线下划线表示只在基座的回答中。",
    ),
    "web.play.proven": (
        "The sides are what they say: with the adapter switched off, the model computes bit for bit what the base does; "
        "with it, something else.",
        "两侧名副其实：关闭适配器时，模型算出的结果与基座逐比特相同；打开后则不同。",
    ),
    "web.play.unproven": (
        "The sides could not be told apart by their bits. Do not trust this comparison.",
        "无法从比特上分清两侧，请不要相信这次对照。",
    ),
    "web.play.proof_how": ("Hashes of the scores of the next token (logits)", "下一个 token 的得分（logits）的哈希"),
    "web.play.hash_base": ("Base", "基座"),
    "web.play.hash_off": ("Adapter switched off", "关闭适配器"),
    "web.play.hash_tuned": ("Tuned", "微调后"),
    # Scripts
    "web.js.working": ("Working …", "正在处理……"),
    "web.js.uploading": ("{{}}: {{}} %", "{{}}：{{}}%"),
    "web.js.remove": ("Remove {{}}", "移除 {{}}"),
    "web.js.checking": ("Checking the rows …", "正在检查数据……"),
    "web.js.planning": ("Planning …", "正在制定计划……"),
    "web.js.failed": ("That did not work: {{}}", "没有成功：{{}}"),
    "web.js.gone": ("The server does not answer.", "服务没有响应。"),
    "web.js.blame": ("Which rows did this?", "是哪些数据导致的？"),
    "web.js.blaming": (
        "Comparing gradients with those of the training rows; this takes a while …",
        "正在与训练数据比对梯度，需要一些时间……",
    ),
    "web.js.mark": ("The reference is wrong", "参考答案有误"),
    "web.js.unmark": ("Marked as wrong; take it back", "已标为有误，点此撤销"),
    "web.js.ready": (
        "Ready: base and tuned model answer from the same weights.",
        "就绪：基座与微调模型使用同一份权重作答。",
    ),
    "web.js.loading": ("Loading the model …", "正在加载模型……"),
    "web.js.tokens": ("{{}} tokens", "{{}} 个 token"),
    "web.js.cut": ("{{}} tokens, cut", "{{}} 个 token，被截断"),
    "web.js.same": ("Both answers are the same, token for token.", "两个回答逐个 token 相同。"),
    "web.js.rounded": (
        "At strength 0 both are the base: what differs is rounding, since the two were not computed side by side.",
        "强度为 0 时两边都是基座：不同之处来自舍入，因为两个回答不是并排算出的。",
    ),
    "web.js.differ": (
        "{{}} of {{}} tokens differ; the first at {{}}.",
        "{{}} / {{}} 个 token 不同，从第 {{}} 个开始。",
    ),
}
