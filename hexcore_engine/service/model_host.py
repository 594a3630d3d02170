"""The one model in memory: loaded on a thread of its own, used by the inference thread.

Loading happens beside the inference thread so that a question's evidence is shown while a model still loads.
The thread lives as long as the engine: on Linux a model runner's death signal is tied to the thread that
started it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import msgspec

from hexcore_engine.errors import HexcoreError
from hexcore_engine.inference.decoders.base import Decoder, OpeningStopped, StopSignal
from hexcore_engine.models.load_times import LoadTimes, LoadWatch
from hexcore_engine.paths import Paths
from hexcore_engine.protocol.events import ModelLoading
from hexcore_engine.protocol.records import ModelRecord
from hexcore_engine.service.telemetry import LoadedModel
from hexcore_engine.settings import ModelSettings, Settings, load_settings
from hexcore_engine.utils.validation import clean_line

logger = logging.getLogger(__name__)
POLL_S = 0.03
# How often it is told how far loading is, and how soon whoever asked a question hears of it.
TELL_EVERY_S = 0.5
TELL_AFTER_S = 1.0


@dataclass(frozen=True)
class _Wanted:
    """What a `LoadModel` asked for; None is what the settings say."""

    model: str | None = None
    decoder: str | None = None
    quantization: str | None = None

    def applied_to(self, settings: ModelSettings) -> ModelSettings:
        """Return the settings with what was asked for on top; another model finds its own decoder."""
        decoder = self.decoder or ("auto" if self.model else settings.decoder)
        return msgspec.convert(
            msgspec.to_builtins(settings)
            | {
                "path": self.model or settings.path,
                "decoder": decoder,
                "quantization": self.quantization or settings.quantization,
            },
            ModelSettings,
        )


class ModelHost:
    """Loads, keeps and unloads the model."""

    def __init__(self, paths: Paths, settings: Settings) -> None:
        self._paths = paths
        self._settings = settings
        self._wanted = _Wanted()
        self._decoder: Decoder | None = None
        self._record: ModelRecord | None = None
        # Name and progress of the model that is being loaded.
        self._loading: tuple[str, LoadWatch] | None = None
        self._lock = threading.Lock()
        self._loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="loader")

    @property
    def record(self) -> ModelRecord | None:
        """The loaded model, None while there is none."""
        return self._record

    def loaded(self) -> LoadedModel | None:
        """What telemetry needs of the loaded model."""
        decoder, record = self._decoder, self._record
        if decoder is None or record is None:
            return None
        return LoadedModel(record, decoder.memory(), decoder.cache_stats())

    def loading(self) -> ModelLoading | None:
        """How far the model that is being loaded is; None while none is."""
        current = self._loading
        if current is None:
            return None
        name, watch = current
        stage, elapsed_s, share = watch.progress()
        return ModelLoading(name, stage, share, elapsed_s) if stage else None

    def open(self, stop: StopSignal, tell: Callable[[ModelLoading], None]) -> Decoder:
        """Return the decoder, waiting for it to be loaded; called by the inference thread between two
        answers, so that a model whose runner ended, or that is no longer the chosen one, can be replaced.
        `tell` hears how far it is where that takes longer.

        Raises:
            OpeningStopped: when `stop` is set while waiting.
            HexcoreError: when it can't be loaded.
        """
        future = self._loader.submit(self._ensure_current)
        told_at = 0.0
        while not future.done():
            if stop.is_set():
                raise OpeningStopped
            time.sleep(POLL_S)
            loading = self.loading()
            if loading is None or loading.elapsed_s < TELL_AFTER_S:
                continue
            if time.monotonic() - told_at >= TELL_EVERY_S:
                told_at = time.monotonic()
                tell(loading)
        return future.result()

    def load_in_background(self) -> Future[Decoder]:
        """Load the wanted model unless it is there."""
        return self._loader.submit(self._ensure)

    def switch(
        self, model: str | None, decoder: str | None, quantization: str | None = None
    ) -> Future[ModelRecord]:
        """Unload what is there and load another model; None is the configured one. Called between two
        answers."""
        return self._loader.submit(self._switch, _Wanted(model, decoder, quantization))

    def unload(self) -> Future[str | None]:
        """Give the memory back; the next question loads the model again. Called between two answers."""
        return self._loader.submit(self._unload)

    def close(self) -> None:
        """Unload and end the loader."""
        self._loader.submit(self._unload).result()
        self._loader.shutdown()

    # -- on the loader's thread

    def _ensure_current(self) -> Decoder:
        chosen = load_settings(self._paths.settings_file).model
        if chosen != self._settings.model:
            # `hexcore models use` came after whatever was asked for before.
            self._wanted = _Wanted()
            self._unload()
        elif self._decoder is not None and not self._decoder.is_usable():
            self._unload()
        return self._ensure()

    def _ensure(self) -> Decoder:
        with self._lock:
            if self._decoder is None:
                # The settings file is read anew: `hexcore models use` may have changed it.
                self._settings = load_settings(self._paths.settings_file)
                started = time.monotonic()
                opened = self._open_watched(self._wanted.applied_to(self._settings.model))
                self._decoder = opened
                self._record = opened.model
                logger.info(
                    "a %s model was loaded in %.1f s", opened.model.decoder, time.monotonic() - started
                )
            return self._decoder

    def _open_watched(self, wanted: ModelSettings) -> Decoder:
        from hexcore_engine.inference.decoders.factory import open_decoder

        name = f"{wanted.decoder} {wanted.quantization} {wanted.path}"
        times = LoadTimes(self._paths.load_times_file)
        watch = LoadWatch(times.of(name))
        self._loading = (clean_line(Path(wanted.path).name), watch)
        try:
            opened = open_decoder(wanted, self._settings.engine, self._paths, watch=watch)
        finally:
            self._loading = None
        if stages := watch.finish():
            times.remember(name, stages)
        return opened

    def _switch(self, wanted: _Wanted) -> ModelRecord:
        from hexcore_engine.models.catalog import describe

        settings = load_settings(self._paths.settings_file)
        # Refuse before anything is given up.
        describe(wanted.applied_to(settings.model), self._paths)
        same = self._wanted == wanted and self._settings.model == settings.model
        if same and self._decoder is not None and self._decoder.is_usable():
            return self._decoder.model
        self._unload()
        before, self._wanted = self._wanted, wanted
        try:
            return self._ensure().model
        except BaseException:
            # The next question loads what was there before.
            self._wanted = before
            raise

    def _unload(self) -> str | None:
        with self._lock:
            decoder, self._decoder = self._decoder, None
            record, self._record = self._record, None
            if decoder is not None:
                try:
                    decoder.close()
                except (HexcoreError, OSError, RuntimeError):
                    logger.exception("a model did not close cleanly")
            return record.name if record else None
