"""The choice of settings: the fastest that fits, in the written order, at the same effective batch."""

from __future__ import annotations

from typing import Any

import pytest
from transformers import AutoConfig, LlamaConfig, MixtralConfig, Qwen2Config

from tuneproof.config import (
    DataSection,
    EvaluateSection,
    LoraSection,
    MemorySection,
    ModelSection,
    RunConfig,
    TrainSection,
)
from tuneproof.errors import ModelError
from tuneproof.messages import load_catalogue
from tuneproof.plan.catalogue import Known, find_known
from tuneproof.plan.forecast import (
    CUBLAS,
    CUDA_CONTEXT,
    CUDA_MARGIN,
    Candidate,
    Forecast,
    Forecaster,
)
from tuneproof.plan.heap import PROCESS, TRAINING_HEAP
from tuneproof.plan.recipe import resolve_training
from tuneproof.plan.remedies import Lengths, Target, choose_plan, find_smaller
from tuneproof.plan.trace import trace_step
from tuneproof.records import Plan

MIB = 2**20
LITTLE = EvaluateSection(few_shot=[], batch_size=1)
DATA = Lengths(tokens=[60, 90, 120, 200] * 10, trained=[20, 30, 40, 60] * 10, prompt=140, answer=60)


def plan_tiny(
    config: Any, limit: int, *, device: str = "cpu", data: Lengths = DATA, run: RunConfig | None = None
) -> Plan:
    """A plan for a tiny model with `limit` bytes beside what the device itself takes."""
    context = PROCESS if device == "cpu" else CUDA_CONTEXT + CUBLAS + CUDA_MARGIN
    dtype: Any = "float32" if device == "cpu" else "bfloat16"
    target = Target(device, dtype, limit + context)  # type: ignore[arg-type]
    return choose_plan(config, data, resolve_training(run or RunConfig(), len(data.tokens), config), target)


def forecast_tiny(config: Any, candidate: Candidate, limit: int, run: RunConfig | None = None) -> Forecast:
    """Training of a tiny model on a CPU with `limit` bytes beside the process itself."""
    run = resolve_training(run or RunConfig(), len(DATA.tokens), config)
    return Forecaster(config, DATA, run, Target("cpu", "float32", limit + PROCESS)).forecast_training(candidate)


def peak_of(config: Any, candidate: Candidate, run: RunConfig | None = None) -> int:
    """Peak of training with room to spare, beside the process itself."""
    return forecast_tiny(config, candidate, 1 << 40, run).peak - PROCESS


def test_with_room_nothing_is_given_up(tiny_llama: LlamaConfig) -> None:
    plan = plan_tiny(tiny_llama, 1 << 30)
    assert (plan.fits, plan.grade, plan.method, plan.rejected) == (True, "fits", "trace", [])
    settings = plan.settings
    assert (settings.micro_batch, settings.accumulation, settings.checkpointing) == (8, 1, False)
    assert (settings.max_tokens, settings.quantization) == (200, "none")
    assert settings.answer_batch == RunConfig().evaluate.batch_size
    assert plan.why == "plan.why.all_fits"
    assert plan.steps == 50


def test_parts_are_the_peak_and_the_peak_is_the_heaviest_phase(tiny_llama: LlamaConfig) -> None:
    plan = plan_tiny(tiny_llama, 1 << 30)
    assert plan.parts.total() == plan.peak_bytes
    phases = plan.phases
    assert plan.peak_bytes == max(phases.load or 0, phases.train or 0, phases.evaluate or 0)


def test_what_a_cpus_process_keeps_is_part_of_the_promise(tiny_llama: LlamaConfig) -> None:
    """Measured with the demo model: 1754 MiB resident where 917 were live and 387 are the process."""
    config = tiny_llama.__class__(**{**tiny_llama.to_dict(), "num_hidden_layers": 40})
    candidate = Candidate(8, False, "none", 200)
    roomy = forecast_tiny(config, candidate, 1 << 30)
    parts = roomy.parts
    passing = parts.activations + parts.logits + parts.temporaries
    assert parts.context - PROCESS == TRAINING_HEAP.keep(passing) > 0
    limits = [forecast_tiny(config, candidate, room).grade for room in (roomy.peak - PROCESS, roomy.peak - PROCESS - 1)]
    assert limits == ["fits", "no"]


def test_alternatives_say_what_else_it_would_take(tiny_llama: LlamaConfig) -> None:
    plan = plan_tiny(tiny_llama, 1 << 30)
    changes = {one.change: one.peak_bytes - PROCESS for one in plan.alternatives}
    assert changes == {
        "memory.checkpointing=true": peak_of(tiny_llama, Candidate(8, True, "none", 200)),
        "train.micro_batch=4": peak_of(tiny_llama, Candidate(4, False, "none", 200)),
    }
    assert max(changes.values()) < plan.phases.train - PROCESS  # type: ignore[operator]


def test_smaller_packs_come_before_recomputation(tiny_llama: LlamaConfig) -> None:
    half = peak_of(tiny_llama, Candidate(4, False, "none", 200))
    plan = plan_tiny(tiny_llama, half)
    assert (plan.settings.micro_batch, plan.settings.accumulation, plan.settings.checkpointing) == (4, 2, False)
    assert plan.why == "plan.why.smaller_packs"
    assert [(one.settings.micro_batch, one.settings.checkpointing, one.why) for one in plan.rejected] == [
        (8, False, "plan.why.over_limit")
    ]


def test_recomputation_comes_before_packs_too_small_for_the_device(tiny_llama: LlamaConfig) -> None:
    """Two rows of 20 tokens at a time would cost more than recomputing four."""
    data = Lengths([20] * 40, [10] * 40, prompt=20, answer=10)
    four = plan_tiny(tiny_llama, 1 << 30, data=data, run=RunConfig(train=TrainSection(micro_batch=4)))
    assert four.phases.train is not None
    whole_chunks = RunConfig(memory=MemorySection(loss_chunk=256))
    plan = plan_tiny(tiny_llama, four.phases.train - PROCESS - 1, data=data, run=whole_chunks)
    assert plan.fits
    assert (plan.settings.micro_batch, plan.settings.checkpointing) == (4, True)
    assert plan.why == "plan.why.checkpointing"
    turned_down = [(one.settings.micro_batch, one.settings.checkpointing) for one in plan.rejected]
    assert turned_down == [(8, False), (4, False), (8, True)]


def test_effective_batch_is_always_kept(tiny_llama: LlamaConfig) -> None:
    run = RunConfig(train=TrainSection(batch_size=12))
    floor = peak_of(tiny_llama, Candidate(1, True, "none", 200), run)
    for share in (1.05, 1.5, 4):
        settings = plan_tiny(tiny_llama, int(share * floor), run=run).settings
        assert settings.micro_batch * settings.accumulation == 12


def test_few_very_long_rows_are_left_out_before_nothing_fits(tiny_llama: LlamaConfig) -> None:
    tokens = [60] * 39 + [500]
    data = Lengths(tokens, [20] * 40, prompt=40, answer=20)
    limit = peak_of(tiny_llama, Candidate(1, True, "none", 200))
    plan = plan_tiny(tiny_llama, limit, data=data)
    assert plan.fits
    assert (plan.settings.max_tokens, plan.why) == (60, "plan.why.capped")


def test_when_nothing_fits_the_smallest_change_is_named(tiny_llama: LlamaConfig) -> None:
    fixed = RunConfig(
        model=ModelSection(dtype="float32"),
        memory=MemorySection(checkpointing=False),
        train=TrainSection(micro_batch=8),
    )
    limit = peak_of(tiny_llama, Candidate(8, True, "none", 200)) + MIB
    plan = plan_tiny(tiny_llama, limit, run=fixed)
    assert (plan.fits, plan.grade, plan.why) == (False, "no", "plan.why.nothing_fits")
    assert plan.alternatives[0].change == "memory.checkpointing=true"
    assert plan.alternatives[0].peak_bytes <= plan.limit_bytes
    hopeless = plan_tiny(tiny_llama, 1000)
    assert not hopeless.fits
    (only,) = hopeless.alternatives
    assert only.change.startswith("--memory 0.")
    assert only.peak_bytes == hopeless.peak_bytes > hopeless.limit_bytes


def test_a_cpu_holds_weights_in_16_bits_before_nothing_fits(tiny_llama: LlamaConfig) -> None:
    half = RunConfig(model=ModelSection(dtype="bfloat16"), evaluate=LITTLE)
    limit = peak_of(tiny_llama, Candidate(1, True, "none", 200)._replace(dtype="bfloat16"), half)
    plan = plan_tiny(tiny_llama, limit, run=RunConfig(evaluate=LITTLE))
    assert (plan.fits, plan.settings.dtype, plan.why) == (True, "bfloat16", "plan.why.bfloat16")
    given = plan_tiny(tiny_llama, limit, run=RunConfig(model=ModelSection(dtype="float32"), evaluate=LITTLE))
    assert not given.fits


def test_smaller_chunks_of_the_loss_come_before_recomputation(tiny_llama: LlamaConfig) -> None:
    config = tiny_llama.__class__(**{**tiny_llama.to_dict(), "vocab_size": 50_000})
    data = Lengths([100] * 40, [90] * 40, prompt=20, answer=10)
    few, whole = EvaluateSection(few_shot=[], batch_size=2), TrainSection(micro_batch=8)
    roomy = plan_tiny(config, 1 << 30, data=data, run=RunConfig(evaluate=few, train=whole))
    assert roomy.phases.train is not None
    limit = roomy.phases.train - PROCESS - 5 * MIB
    settings = plan_tiny(config, limit, data=data, run=RunConfig(evaluate=few, train=whole)).settings
    assert (settings.loss_chunk, settings.checkpointing) == (64, False)
    fixed = RunConfig(evaluate=few, train=whole, memory=MemorySection(loss_chunk=256))
    assert plan_tiny(config, limit, data=data, run=fixed).settings.loss_chunk == 256


def test_what_another_gigabyte_would_buy_is_said(tiny_llama: LlamaConfig) -> None:
    half = peak_of(tiny_llama, Candidate(4, False, "none", 200))
    more = plan_tiny(tiny_llama, half).more_memory
    assert more is not None
    assert (more.settings.micro_batch, more.settings.checkpointing) == (8, False)
    assert more.faster >= 1
    assert plan_tiny(tiny_llama, 1 << 31).more_memory is None


def test_smaller_relatives_are_named_where_nothing_fits() -> None:
    """One layer of each, so that tracing takes no time: the tables of words decide."""
    known = find_known("Qwen/Qwen1.5-1.8B-Chat")
    assert known is not None

    def read(one: Known) -> Any:
        return AutoConfig.for_model(**{**one.config, "num_hidden_layers": 1})

    config = read(known)
    run = resolve_training(RunConfig(), len(DATA.tokens), config)
    run.model.name = "Qwen/Qwen1.5-1.8B-Chat"
    target = Target("cuda", "bfloat16", int(1.4e9))
    assert not choose_plan(config, DATA, run, target).fits
    (smaller,) = find_smaller(known, read, DATA, run, target)
    assert smaller.name == "Qwen/Qwen1.5-0.5B-Chat"
    assert smaller.peak_bytes <= target.limit_bytes
    assert find_smaller(None, read, DATA, run, target) == []


def test_long_prompts_are_answered_fewer_at_a_time(tiny_llama: LlamaConfig) -> None:
    data = Lengths([100] * 10, [50] * 10, prompt=50, answer=50)
    settings = plan_tiny(tiny_llama, 1 << 30, data=data).settings
    assert settings.answer_tokens == settings.answer_batch * 100


def test_an_8_bit_optimizer_holds_its_state_in_a_quarter(tiny_llama: LlamaConfig) -> None:
    run = resolve_training(RunConfig(lora=LoraSection(rank=256, alpha=32)), len(DATA.tokens), tiny_llama)
    forecaster = Forecaster(tiny_llama, DATA, run, Target("cuda", "bfloat16", 1 << 40))
    plain = forecaster.forecast_training(Candidate(1, True, "nf4", 200, chunk=64))
    small = forecaster.forecast_training(Candidate(1, True, "nf4", 200, chunk=64, optimizer="adamw8bit"))
    # Two moments of four bytes each become two of one byte, and four bytes a block of 256.
    assert plain.parts.optimizer / small.parts.optimizer == pytest.approx(8 / (2 + 8 / 256), rel=0.02)
    assert plain.peak - small.peak == plain.parts.optimizer - small.parts.optimizer


def test_what_the_user_fixed_is_kept(tiny_llama: LlamaConfig) -> None:
    run = RunConfig(
        train=TrainSection(micro_batch=2),
        memory=MemorySection(checkpointing=True, quantization="none"),
        data=DataSection(max_tokens=100),
    )
    settings = plan_tiny(tiny_llama, 1 << 30, device="cuda", run=run).settings
    assert (settings.micro_batch, settings.checkpointing, settings.quantization) == (2, True, "none")
    assert settings.max_tokens == 100


def test_answers_side_by_side_are_halved_until_they_fit(tiny_llama: LlamaConfig) -> None:
    data = Lengths([20] * 10, [5] * 10, prompt=400, answer=200)
    run = RunConfig(evaluate=EvaluateSection(batch_size=24))
    full = plan_tiny(tiny_llama, 1 << 30, data=data, run=run)
    assert (full.phases.evaluate, full.settings.answer_batch) == (full.peak_bytes, 24)
    fewer = plan_tiny(tiny_llama, (full.peak_bytes - PROCESS) // 3, data=data, run=run)
    assert fewer.fits
    assert fewer.settings.answer_batch in (3, 6)


def test_the_adapter_is_folded_for_answers_where_that_is_exact_and_fits(tiny_llama: LlamaConfig) -> None:
    data = Lengths([20] * 10, [5] * 10, prompt=400, answer=200)
    run = RunConfig(evaluate=EvaluateSection(batch_size=24))
    full = plan_tiny(tiny_llama, 1 << 30, data=data, run=run)
    assert full.settings.folded_answers
    assert full.phases.evaluate is not None
    # One byte less, and the copy of the weights has no room: as many answers side by side, without it.
    tight = plan_tiny(tiny_llama, full.phases.evaluate - PROCESS - 1, data=data, run=run)
    assert (tight.fits, tight.settings.folded_answers, tight.settings.answer_batch) == (True, False, 24)
    assert not plan_tiny(tiny_llama, 1 << 30, device="cuda", data=data, run=run).settings.folded_answers


@pytest.mark.filterwarnings("ignore:The following .*_pattern keys:RuntimeWarning")
def test_what_cannot_be_traced_is_estimated_and_marked() -> None:
    """Mixture-of-experts products have no meta kernel in float32."""
    config = MixtralConfig(
        vocab_size=512,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        num_local_experts=4,
    )
    run = RunConfig(
        train=TrainSection(micro_batch=8),
        memory=MemorySection(checkpointing=False),
        evaluate=EvaluateSection(few_shot=[], batch_size=1),
    )
    plan = plan_tiny(config, 1 << 30, run=run)
    assert (plan.method, plan.grade) == ("formula", "fits")
    assert plan.parts.total() == plan.peak_bytes == plan.phases.train
    close = plan_tiny(config, plan.peak_bytes - PROCESS, run=run)
    assert (close.grade, close.fits) == ("tight", True)


def test_targets_that_the_model_lacks_are_the_users_error(tiny_llama: LlamaConfig) -> None:
    run = RunConfig(lora=LoraSection(targets=["nowhere"]))
    with pytest.raises(ModelError) as caught:
        plan_tiny(tiny_llama, 1 << 30, run=run)
    assert caught.value.key == "plan.cannot_build"
    assert "nowhere" in caught.value.message()


def test_every_reason_has_its_sentence(tiny_llama: LlamaConfig) -> None:
    for limit in (1 << 30, 8 * MIB, 5 * MIB, 1000):
        plan = plan_tiny(tiny_llama, limit)
        assert {plan.why, *(one.why for one in plan.rejected)} <= set(load_catalogue())


def test_asking_again_traces_nothing(tiny_llama: LlamaConfig) -> None:
    first = plan_tiny(tiny_llama, 1 << 30)
    traced = trace_step.cache_info().misses
    assert plan_tiny(tiny_llama, 1 << 30) == first
    assert trace_step.cache_info().misses == traced


def forecast_qwen(config: Qwen2Config, *, checkpointing: bool) -> Forecast:
    """Four rows of 1024 tokens at a time on a card of 6 GiB."""
    data = Lengths(tokens=[1024] * 64, trained=[512] * 64, prompt=512, answer=256)
    run = resolve_training(RunConfig(train=TrainSection(batch_size=4)), 900, config)
    forecaster = Forecaster(config, data, run, Target("cuda", "bfloat16", 6144 * MIB))
    return forecaster.forecast_training(Candidate(4, checkpointing, "none", 1024))


def test_a_6_gb_card_trains_qwen_1_8b_on_4096_tokens_with_recomputation(qwen18: Qwen2Config) -> None:
    """4.68 GiB of tensors with PEFT's own products (docs/evidence.md, rule 24); `model/lora` keeps less."""
    forecast = forecast_qwen(qwen18, checkpointing=True)
    assert (forecast.grade, forecast.method) == ("fits", "trace")
    assert 4.3 <= (forecast.peak - forecast.parts.context) / (1024 * MIB) <= 4.68
    assert forecast.parts.weights / MIB == pytest.approx(3503.5, abs=1)


def test_a_6_gb_card_does_not_without_recomputation(qwen18: Qwen2Config) -> None:
    forecast = forecast_qwen(qwen18, checkpointing=False)
    assert (forecast.grade, forecast.method) == ("no", "trace")
    assert forecast.peak > 9 * 1024 * MIB


def test_a_cuda_plan_counts_the_device_and_offers_4_bits(tiny_llama: LlamaConfig) -> None:
    plan = plan_tiny(tiny_llama, 1 << 30, device="cuda")
    assert (plan.device, plan.settings.dtype, plan.grade) == ("cuda", "bfloat16", "fits")
    assert plan.parts.context == CUDA_CONTEXT + CUBLAS + CUDA_MARGIN
    assert "memory.quantization=nf4" in {one.change for one in plan.alternatives}


@pytest.fixture(scope="module")
def tower() -> LlamaConfig:
    """Many layers and few words, so that the frozen layers are most of the model: 403 MB in bfloat16."""
    return LlamaConfig(
        vocab_size=512,
        hidden_size=1024,
        intermediate_size=4096,
        num_hidden_layers=12,
        num_attention_heads=4,
        num_key_value_heads=4,
        tie_word_embeddings=True,
    )


SHORT = Lengths([24] * 40, [8] * 40, prompt=16, answer=8)


def plan_tower(config: LlamaConfig, host: int | None = None, memory: MemorySection | None = None) -> Plan:
    """On a card with less room than 4-bit weights and an 8-bit optimizer take, and more than streamed layers do."""
    knobs = RunConfig(evaluate=LITTLE, memory=memory or MemorySection(), train=TrainSection(batch_size=1))
    run = resolve_training(knobs, 40, config)
    forecaster = Forecaster(config, SHORT, run, Target("cuda", "bfloat16", 1 << 40))
    lightest = Candidate(1, True, "nf4", 24, chunk=64, optimizer="adamw8bit")
    streamed = Candidate(1, True, "none", 24, chunk=64, offload=True)
    peaks = [forecaster.forecast_training(one).peak for one in (streamed, lightest)]
    assert peaks[0] < peaks[1]
    return choose_plan(config, SHORT, run, Target("cuda", "bfloat16", sum(peaks) // 2, host=host))


def test_layers_are_streamed_where_not_even_4_bits_fit(tower: LlamaConfig) -> None:
    plan = plan_tower(tower)
    settings = plan.settings
    assert (plan.fits, settings.offload, settings.quantization, plan.why) == (True, True, "none", "plan.why.offload")
    linear = 12 * (4 * 1024 * 1024 + 3 * 1024 * 4096) * 2
    # Each tensor's size is a power of two here: pinned memory rounds nothing up.
    assert plan.host_bytes == linear
    assert plan.parts.weights < linear / 12 * 2 + 2 * MIB
    assert any(one.settings.quantization == "nf4" for one in plan.rejected)


def test_layers_are_not_streamed_where_the_computer_has_no_room_or_the_user_no_wish(tower: LlamaConfig) -> None:
    assert not plan_tower(tower, host=300 * MIB).fits
    assert not plan_tower(tower, memory=MemorySection(offload=False)).fits
    assert plan_tower(tower, host=500 * MIB).settings.offload


def test_what_trains_in_4_bits_but_cannot_be_loaded_so_is_streamed(tower: LlamaConfig) -> None:
    """A table of words lies there twice while it is read."""
    words = LlamaConfig(**{**tower.to_dict(), "vocab_size": 65_536})
    run = resolve_training(RunConfig(evaluate=LITTLE, train=TrainSection(batch_size=1)), 40, words)
    forecaster = Forecaster(words, SHORT, run, Target("cuda", "bfloat16", 1 << 40))
    lightest, streamed = Candidate(1, True, "nf4", 24, chunk=64), Candidate(1, True, "none", 24, chunk=64, offload=True)
    loading = [forecaster.forecast_load(one).peak for one in (streamed, lightest)]
    limit = sum(loading) // 2
    assert forecaster.forecast_training(lightest).peak < limit < loading[1]
    target = Target("cuda", "bfloat16", limit)
    plan = choose_plan(words, SHORT, run, target)
    assert (plan.fits, plan.why, plan.settings.offload) == (True, "plan.why.offload", True)
    assert max(plan.phases.model_dump().values()) == plan.peak_bytes <= limit
    assert ("nf4", "plan.why.load_over_limit") in [(one.settings.quantization, one.why) for one in plan.rejected]
    for fixed in (MemorySection(quantization="nf4"), MemorySection(offload=False)):
        stuck = choose_plan(words, SHORT, run.model_copy(update={"memory": fixed}), target)
        assert not stuck.fits
        assert stuck.alternatives[0].change == "memory.offload=true memory.quantization=none"
    split = run.model_copy(update={"memory": MemorySection(split=True, offload=False)})
    stuck = choose_plan(words, SHORT, split, target._replace(ranks=2))
    assert not stuck.fits
    assert stuck.alternatives[0].change == "memory.offload=true memory.quantization=none memory.split=false"


def test_streaming_that_the_user_wants_is_kept(tiny_llama: LlamaConfig) -> None:
    plan = plan_tiny(tiny_llama, 1 << 30, device="cuda", run=RunConfig(memory=MemorySection(offload=True)))
    assert (plan.fits, plan.settings.offload, plan.why) == (True, True, "plan.why.all_fits")
    assert not {one.change for one in plan.alternatives} & {"memory.quantization=nf4", "memory.offload=true"}
    plain = plan_tiny(tiny_llama, 1 << 30, device="cuda")
    assert "memory.offload=true" in {one.change for one in plain.alternatives}


def plan_ranks(config: LlamaConfig, limit: int, ranks: int, memory: MemorySection | None = None) -> Plan:
    """On cards of `limit` bytes, a process on each."""
    knobs = RunConfig(evaluate=LITTLE, memory=memory or MemorySection(), train=TrainSection(batch_size=1))
    target = Target("cuda", "bfloat16", limit, ranks=ranks)
    return choose_plan(config, SHORT, resolve_training(knobs, 40, config), target)


def test_layers_are_split_where_the_whole_model_does_not_fit_on_each(tower: LlamaConfig) -> None:
    """In training first, and where not even answers find room, streamed for them; on one card 4 bits are next."""
    run = resolve_training(RunConfig(evaluate=LITTLE, train=TrainSection(batch_size=1)), 40, tower)
    forecaster = Forecaster(tower, SHORT, run, Target("cuda", "bfloat16", 1 << 40, ranks=4))
    whole, split = Candidate(1, True, "none", 24, chunk=64), Candidate(1, True, "none", 24, chunk=64, split=True)
    training, answering = forecaster.forecast_training(whole).peak, forecaster.forecast_answers(1, whole).peak
    parts = forecaster.forecast_training(split)
    saved = training - parts.peak
    layer = (4 * 1024 * 1024 + 3 * 1024 * 4096 + 2 * 1024) * 2
    # A quarter of twelve layers and three gathered ones for twelve; the allocator's blocks round up.
    assert saved == pytest.approx((12 - 3 - 3) * layer, rel=0.01)
    assert answering < training

    plans = [plan_ranks(tower, training - 1, ranks) for ranks in (4, 1)]
    assert [(plan.fits, plan.settings.strategy, plan.settings.quantization, plan.why) for plan in plans] == [
        (True, "fsdp", "none", "plan.why.split"),
        (True, "single", "nf4", "plan.why.nf4"),
    ]
    assert not plans[0].settings.offload
    smaller = plan_ranks(tower, (parts.peak + answering) // 2, 4)
    assert (smaller.fits, smaller.settings.strategy, smaller.settings.offload) == (True, "fsdp", True)
    assert smaller.why == "plan.why.split_streamed"
    assert smaller.host_bytes > 11 * layer
    roomy = plan_ranks(tower, 1 << 40, 4)
    assert (roomy.settings.strategy, roomy.settings.ranks) == ("ddp", 4)
    assert "memory.split=true" in {one.change for one in roomy.alternatives}
    unsplit = plan_ranks(tower, training - 1, 4, MemorySection(split=False))
    assert (unsplit.settings.strategy, unsplit.settings.quantization) == ("ddp", "nf4")
    wished = plan_ranks(tower, 1 << 40, 4, MemorySection(split=True))
    assert (wished.settings.strategy, wished.why) == ("fsdp", "plan.why.all_fits")
