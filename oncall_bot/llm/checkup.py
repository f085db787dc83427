"""Does the model's server answer, and does it have the model? One look, for doctor.

Knows `GET /models` of OpenAI-compatible servers, which some do not have. Sends no text and costs nothing. Blocking.
"""

from __future__ import annotations

from oncall_bot.ports import DeliveryError

WITHIN = 4.0


def look(base_url: str, api_key: str, model: str, within: float = WITHIN) -> bool | None:
    """Whether the server lists the model; None when it keeps no list. DeliveryError when it refuses or is away."""
    import openai

    try:
        with openai.OpenAI(
            base_url=base_url, api_key=api_key or "none", timeout=within, max_retries=0
        ) as client:
            return any(one.id == model for one in client.models.list().data)
    except openai.NotFoundError:
        return None
    except openai.APIStatusError as error:
        raise DeliveryError(f"the model's server answered {error.status_code}") from error
    except openai.OpenAIError as error:
        raise DeliveryError(
            f"the model's server did not answer ({type(error).__name__})"
        ) from error
    except (AttributeError, TypeError, ValueError) as error:
        raise DeliveryError("the model's server did not answer like one") from error
