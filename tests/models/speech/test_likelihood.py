"""Likelihoods against the textbook formula over every density."""

import numpy as np

from voicestream.models.speech import package, parameter
from voicestream.models.speech.likelihood import acoustic_model


def test_likelihoods_are_those_of_the_mixtures() -> None:
    model = acoustic_model()
    means, variances = parameter.read_gaussians(package.model_file(package.MEANS), package.model_file(package.VARIANCES))
    weights = parameter.read_mixture_weights(package.model_file(package.MIXTURE_WEIGHTS), 3, 128, model.definition.senones)
    frame = np.random.default_rng(3).normal(0, 4, (2, 3, 13)).astype(np.float32)
    senones = np.array([0, 100, 125, 126, 2000, 5125, 100])
    owner = model.definition.phone_of_senone()[senones]
    wanted = np.zeros((2, len(senones)))
    for stream in range(3):
        distance = (frame[:, None, None, stream] - means[owner, stream][None]) ** 2 / variances[owner, stream]
        density = -0.5 * (distance + np.log(2 * np.pi * variances[owner, stream])).sum(axis=3)
        wanted += np.logaddexp.reduce(density - parameter.LOG_STEP * weights[stream][:, senones].T, axis=2)
    found = model.log_likelihoods(frame, senones)
    np.testing.assert_allclose(found, wanted, atol=0.2)  # densities a thousandth of the best are passed over
    np.testing.assert_allclose(found, model.log_likelihoods(frame)[:, senones], atol=1e-4)
