"""Settings for all tests."""

import os

# LiteLLM otherwise fetches its price list from the internet when it is imported.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
