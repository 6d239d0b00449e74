"""Answers of speech assessment as elsa.md section 5 has them, and as the vendor's have been seen in public programs."""

from typing import Any

MARKET: dict[str, Any] = {
    "text": "market",
    "start_time": 1.52,
    "end_time": 2.04,
    "nativeness_score": 41.0,
    "decision": "incorrect",
    "phonemes": [
        {"text": "m", "trans": "m", "trans_arpabet": "M", "nativeness_score": 95.0, "decision": "correct"},
        {"text": "a", "trans": "ɑ", "trans_arpabet": "AA1", "nativeness_score": 88.0, "decision": "correct"},
        {"text": "r", "trans": "ɹ", "trans_arpabet": "R", "nativeness_score": 12.0, "decision": "incorrect"},
        {"text": "k", "trans": "k", "trans_arpabet": "K", "nativeness_score": 90.0, "decision": "correct"},
        {"text": "e", "trans": "ə", "trans_arpabet": "AH0", "nativeness_score": 66.0, "decision": "warning"},
        {"text": "t", "trans": "t", "trans_arpabet": "T", "nativeness_score": 91.0, "decision": "correct"},
    ],
}


def word(text: str, start_s: float, end_s: float, score: float, decision: str = "correct") -> dict[str, Any]:
    return {"text": text, "start_time": start_s, "end_time": end_s, "nativeness_score": score, "decision": decision, "phonemes": []}


FREE: dict[str, Any] = {
    "api_version": "1",
    "total_time": 2.4,
    "transcript": "I went to the market",
    "recording_quality": "ok",
    "assessment_quality": "ok",
    "partial_error": "too_short",
    "speakers": [
        {
            "speaker_id": 0,
            "total_time": 1.7,
            "metrics": {
                "general_scores": {
                    "elsa": {
                        "eps_score": None,
                        "eps_decision": None,
                        "pronunciation_score": 78.0,
                        "pronunciation_decision": "good",
                        "intonation_score": 69.5,
                        "intonation_decision": "fair",
                        "fluency_score": 93.1,
                        "fluency_decision": "excellent",
                        "grammar_score": None,
                        "grammar_decision": None,
                    },
                    "cefr": {"overall_cefr": None, "pronunciation_cefr": "B2", "intonation_cefr": "B1", "fluency_cefr": "C1"},
                    "cefr_range": {"overall_cefr": None, "pronunciation_cefr": ["B1", "C1"], "fluency_cefr": "far off"},
                    "other_scores": {"ielts_score": None},
                },
                "other_metrics": {
                    "fluency": {"pausing_score": 71.0, "words_per_minute": 118.4, "pauses": [[0.8, 1.5]]},
                    "intonation": {"energy_variation": 0.41, "pitch_variation": 0.28},
                },
            },
            "utterances": [
                {
                    "utterance_id": 0,
                    "text": "I went to the market",
                    "start_time": 0.31,
                    "end_time": 2.04,
                    "result": {
                        "nativeness_score": 77.0,
                        "words": [
                            word("I", 0.31, 0.42, 96.0),
                            word("went", 0.42, 0.70, 68.0, "warning"),
                            word("to", 0.72, 0.83, 90.0),
                            word("the", 1.40, 1.50, 85.0),
                            MARKET,
                        ],
                    },
                }
            ],
            "feedbacks": {
                "pronunciation": {
                    "top_errors": [
                        {
                            "phoneme": "R",
                            "errors": [{"error_phoneme": "L", "type": "substitution", "count": 2, "examples": [{"text": "market"}]}],
                        }
                    ]
                }
            },
        }
    ],
}

# `start_index` is a place in the sentence, numbers are text here and there, what was heard stands with the sound.
SENTENCE: dict[str, Any] = {
    "api_version": "2.1",
    "total_time": "1.9",
    "utterance": [
        {
            "sentence_id": 0,
            "sentence": "pizza party",
            "attempt_type": "RELEVANT",
            "initial_silence": True,
            "total_time": "1.9",
            "snr": 23.5,
            "recording_quality": "noisy",
            "decision": "almost_correct",
            "nativeness_score": 64.0,
            "pronunciation_score": 61.5,
            "fluency_score": 88,
            "intonation_score": None,
            "speed_metrics": {"words_per_minute": 96.0, "articulated_words_per_minute": 120.25},
            "pausing_metrics": {"pause_ratio_without_initial_sil": 0.12},
            "pronunciation_rate_metrics": {"correct_words_ratio": 0.5},
            "words": [
                {
                    "text": "pizza",
                    "start_index": 0,
                    "end_index": 4,
                    "start_time": 0.4,
                    "end_time": 0.9,
                    "nativeness_score": 31,
                    "decision": "incorrect",
                    "phonemes": [
                        {
                            "start_index": 0,
                            "end_index": 0,
                            "text": "p",
                            "trans": "p",
                            "trans_arpabet": "P",
                            "nativeness_score": 20,
                            "decision": "incorrect",
                            "phoneme_error": "b",
                            "phoneme_error_arpabet": "B",
                            "feedback": [{"text": "Let out a puff of air."}],
                        }
                    ],
                },
                {"text": "party", "start_index": 6, "end_index": 10, "decoded": False, "nativeness_score": 0, "phonemes": []},
            ],
        }
    ],
}
