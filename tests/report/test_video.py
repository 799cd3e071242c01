"""Sweeps as videos, in a real browser."""

from __future__ import annotations

import base64
from typing import get_args

import numpy as np
import pytest
from playwright.sync_api import Page

from flatpipe.encode.animation import encode_animation
from flatpipe.encode.frames import Original
from flatpipe.quantize.palette_image import PaletteImage
from flatpipe.settings import AnimationOptions
from flatpipe.vocabulary import VideoFormat

pytest.importorskip("av", reason="the extra `video` is not installed")
LEVELS = {2: (200, 40, 40), 3: (30, 90, 200)}
LAST = (40, 160, 60)
SHOW = """
async ([source, times]) => {
  const video = document.createElement("video");
  video.muted = true;
  video.src = source;
  document.body.append(video);
  await new Promise((done, fail) => { video.onloadeddata = done; video.onerror = () => fail(video.error.message); });
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const context = canvas.getContext("2d", {willReadFrequently: true}), shown = [];
  for (const time of times) {
    await new Promise((done) => {
      video.onseeked = () => requestAnimationFrame(() => requestAnimationFrame(done));
      // what was sought is drawn a frame later: until then a busy machine has black to show
      video.currentTime = time;
    });
    context.drawImage(video, 0, 0);
    shown.push([...context.getImageData(20, 20, 1, 1).data.slice(0, 3)]);
  }
  return {size: [video.videoWidth, video.videoHeight], duration: video.duration, shown};
}
"""


@pytest.mark.parametrize("format_", get_args(VideoFormat))
def test_a_video_plays_in_a_browser(format_: VideoFormat, page: Page) -> None:
    """Chromium has its size and length, and shows each colour in its time, as it was."""
    plain = np.zeros((47, 64), np.uint8)
    flats = {k: PaletteImage(np.array([color], np.uint8), plain) for k, color in LEVELS.items()}
    last = PaletteImage(np.array([LAST], np.uint8), plain)
    content = encode_animation(flats, Original(last.flat), AnimationOptions(format=format_))
    source = f"data:video/{format_};base64,{base64.b64encode(content).decode()}"
    found = page.evaluate(SHOW, [source, [0.1, 0.5, 0.9, 2.2]])

    assert found["size"] == [64, 48]
    assert found["duration"] == pytest.approx(2.3, abs=0.03)
    wanted = [*LEVELS.values(), LAST, LAST]
    assert np.abs(np.array(found["shown"]) - wanted).max() <= 8
    # ^ a matrix or range misunderstood would be 20 off
