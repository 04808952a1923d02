# One image for the worker, the API, the migrations and the command line.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore

RUN useradd --system --uid 10001 --no-create-home --home-dir /app dunning \
    && install --directory --owner=dunning /app \
    && install --directory --owner=dunning --mode=0700 /var/lib/dunning
WORKDIR /app

COPY requirements.lock ./
RUN pip install --require-hashes --only-binary :all: --requirement requirements.lock

COPY . .
RUN pip install --no-deps --no-index --no-build-isolation --editable . \
    && python -m compileall -q .

USER dunning
ENV DUNNING_STATE_DIR=/var/lib/dunning DUNNING_LOG_JSON=true
VOLUME /var/lib/dunning
EXPOSE 8080
CMD ["python", "worker.py"]
