"""The run's adapter folder made ready for others: tokenizer, chat template, and a card filled from the verdict.

In: a run that has been judged. Out: `adapter/` as docs/contract.md says; nothing in it names this machine.
"""

from __future__ import annotations

from tuneproof.export.card import Facts, write_card
from tuneproof.export.folder import copy_tokenizer, open_modes
from tuneproof.export.source import Source, name_base
from tuneproof.pipeline.work import Work


def finish_adapter(work: Work) -> None:
    """Write what stands beside the adapter's weights."""
    source, folder = describe_source(work), work.run.adapter
    copy_tokenizer(source, folder)
    write_card(Facts(work.run, work.config, source), folder, "adapter")
    open_modes(folder)


def describe_source(work: Work, base_id: str | None = None) -> Source:
    """The run's tuned model, on its own base. `base_id`: what others call the base, where the user says."""
    config, settings = work.config.model, work.plan.settings
    assert config.name is not None
    return Source(
        run=work.run.name,
        adapter=work.run.adapter.resolve(),
        model=config.name,
        revision=config.revision,
        base=name_base(config.name, config.revision, base_id),
        dtype=settings.dtype,
        quantization=settings.quantization,
        device=work.hardware.device,
        system_prompt=work.config.data.system_prompt,
    )
