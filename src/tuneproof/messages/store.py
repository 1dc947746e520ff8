"""What the user reads about a run folder's copy at a store. key -> (English, Chinese)."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "cli.option.store": (
        "Copy the run folder to this URI as the run goes (s3://bucket/runs/first), and begin with what lies there.",
        "运行目录随进度复制到这个 URI（如 s3://bucket/runs/first），并从那里已有的内容开始。",
    ),
    "store.unknown": ("This address cannot be used: {why}", "这个地址无法使用：{why}"),
    "store.unknown.hint": (
        "Give a URI that fsspec knows, such as s3://bucket/runs/first or gs://bucket/runs/first; what it needs is named "
        "above (pip install s3fs, gcsfs, adlfs).",
        "请给出 fsspec 支持的 URI，如 s3://bucket/runs/first 或 gs://bucket/runs/first；所需的包见上（pip install s3fs、gcsfs、adlfs）。",
    ),
    "store.password": (
        "The address may have a password or a signature in it, which would stand in config.yaml and in the report.",
        "地址里可能带有密码或签名，会被写进 config.yaml 和报告。",
    ),
    "store.password.hint": (
        "Leave it out and set it where the store's own package looks for it, such as AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY.",
        "请去掉密码，放到该存储自己的包会读取的地方，例如 AWS_ACCESS_KEY_ID 和 AWS_SECRET_ACCESS_KEY。",
    ),
    "store.unreachable": ("The store cannot be read or written: {why}", "无法读写该存储：{why}"),
    "store.unreachable.hint": (
        "See to the address, the access and the network, and give the same command again; to go on without a copy, set "
        "report.store to null in the run's config.yaml.",
        "请检查地址、权限和网络，然后再次执行同样的命令；不再需要副本时，把运行目录里 config.yaml 的 report.store 设为 null。",
    ),
    "store.foreign": (
        "Files lie there that no run was copied to.",
        "那里有别的文件，不是运行目录的副本。",
    ),
    "store.foreign.hint": (
        "Name a folder for this run alone, such as s3://bucket/runs/NAME.",
        "请为这次运行单独指定一个位置，例如 s3://bucket/runs/NAME。",
    ),
    "store.both": (
        "There is a run in this folder and another one at {address}, and neither is known to be a copy of the other.",
        "这个目录里有一次运行，{address} 也有一次，无法确定其中一个是另一个的副本。",
    ),
    "store.both.hint": (
        "Give another --out to go on with the one at the store, or another --store for the one that is here.",
        "要继续存储里的那次，请换一个 --out；要继续本机的这次，请换一个 --store。",
    ),
    "store.ahead": (
        "Another machine has gone on with this run and has copied it there meanwhile.",
        "另一台机器已经接着进行这次运行，并在此期间把它复制到了那里。",
    ),
    "store.ahead.hint": (
        "Let one of them work on it. The same command begins here with what the other has done, and puts aside what was "
        "changed here.",
        "请只让一台机器进行。在这里执行同样的命令会从另一台已完成的部分开始，这里改动过的文件会放到一边。",
    ),
    "store.behind": (
        "The copy at the store is behind: {why}. The run goes on; it is tried again after the next stage.",
        "存储里的副本没有跟上：{why}。运行继续，下一个阶段之后会再试。",
    ),
    "store.fork": (
        "A new run beside this one cannot be copied to the same place.",
        "与之并列的新运行不能复制到同一个地方。",
    ),
    "store.fork.hint": (
        "Leave out --store, and give it to the new run by its own command.",
        "请去掉 --store，之后在新运行自己的命令里再给出。",
    ),
}
