"""Commands, files and code of the Kimi K2 Thinking deployment guide (version 1.0, 2025-11-08), quoted to be judged.

What a judge says of a line must hold for these very lines; shortened only where a line says nothing to a machine.
"""

from __future__ import annotations

MODEL = "kimi-k2-thinking"  # the guide's model, in our catalog
CHECKPOINT_GB = 500  # §2.1, §4.1, §10
DOWNLOAD_HOURS = {1: 1.1, 10: 7 / 60}  # §4.1: Gbps -> hours

DRIVER = """\
sudo apt-get install -y cuda-drivers-535
wget https://developer.download.nvidia.com/compute/cuda/repos/ubuntu2204/x86_64/cuda-ubuntu2204.pin
sudo mv cuda-ubuntu2204.pin /etc/apt/preferences.d/cuda-repository-pin-600
wget https://developer.download.nvidia.com/compute/cuda/12.3.0/local_installers/cuda-repo-ubuntu2204-12-3-local_12.3.0-535.54.03-1_amd64.deb
sudo dpkg -i cuda-repo-ubuntu2204-12-3-local_12.3.0-535.54.03-1_amd64.deb
sudo cp /var/cuda-repo-ubuntu2204-12-3-local/cuda-*-keyring.gpg /usr/share/keyrings/
sudo apt-get update
sudo apt-get -y install cuda-toolkit-12-3
"""  # §3.2

DOWNLOAD = """\
pip install huggingface-hub
huggingface-cli login
huggingface-cli download moonshotai/Kimi-K2-Thinking --local-dir /data/models/kimi-k2-thinking-int4 \
--local-dir-use-symlinks False
"""  # §4.1

COMPOSE = """\
version: '3.8'

services:
  kimi-k2-vllm:
    image: vllm/vllm-openai:latest
    container_name: kimi-k2-inference
    runtime: nvidia
    environment:
      - NVIDIA_VISIBLE_DEVICES=0,1,2,3
    volumes:
      - /data/models/kimi-k2-thinking-int4:/models
    ports:
      - "8000:8000"
    command: >
      --model /models
      --tensor-parallel-size 4
      --dtype int4
      --max-model-len 256000
      --gpu-memory-utilization 0.95
      --enable-prefix-caching
      --disable-log-requests
    deploy:
      resources:
        reservations:
          devices:
            - driver: nvidia
              count: 4
              capabilities: [gpu]
    restart: unless-stopped
    healthcheck:
      test: ["CMD", "curl", "-f", "http://localhost:8000/health"]
      interval: 30s
      timeout: 10s
      retries: 3
"""  # §4.2, option A

COMPOSE_COMMANDS = """\
docker-compose up -d
docker-compose logs -f kimi-k2-vllm
"""  # §4.2, §7.2

MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: kimi-k2-inference
  namespace: executive-brain
spec:
  replicas: 1
  selector:
    matchLabels:
      app: kimi-k2
  template:
    metadata:
      labels:
        app: kimi-k2
    spec:
      nodeSelector:
        gpu: nvidia-a100
      containers:
      - name: vllm
        image: vllm/vllm-openai:latest
        command:
        - python
        - -m
        - vllm.entrypoints.openai.api_server
        - --model
        - /models
        - --tensor-parallel-size
        - "4"
        - --dtype
        - int4
        - --max-model-len
        - "256000"
        - --gpu-memory-utilization
        - "0.95"
        - --enable-prefix-caching
        volumeMounts:
        - name: model-storage
          mountPath: /models
        resources:
          limits:
            nvidia.com/gpu: 4
            memory: 256Gi
          requests:
            nvidia.com/gpu: 4
            memory: 256Gi
        livenessProbe:
          httpGet:
            path: /health
            port: 8000
          initialDelaySeconds: 300
          periodSeconds: 30
        readinessProbe:
          httpGet:
            path: /health
            port: 8000
          initialDelaySeconds: 300
          periodSeconds: 10
      volumes:
      - name: model-storage
        hostPath:
          path: /data/models/kimi-k2-thinking-int4
          type: Directory
"""  # §4.2, option B

HEALTH_BODY = '{"status": "ok"}'  # §4.3
OOM_ADVICE = ("--gpu-memory-utilization", "0.85")  # §7.1

LOAD_TEST = """\
import openai
import time
import concurrent.futures

openai.api_base = "http://localhost:8000/v1"
openai.api_key = "dummy"

def send_request(prompt):
    start = time.time()
    response = openai.ChatCompletion.create(
        model="/models",
        messages=[{"role": "user", "content": prompt}],
        max_tokens=50
    )
    latency = time.time() - start
    return latency

prompts = ["Explain AI" for _ in range(10)]

with concurrent.futures.ThreadPoolExecutor(max_workers=10) as executor:
    latencies = list(executor.map(send_request, prompts))

print(f"Average latency: {sum(latencies)/len(latencies):.2f}s")
print(f"Throughput: {len(prompts)/sum(latencies):.2f} req/s")
"""  # §4.4
EXPECTED_LATENCY_S = (0.5, 2.0)  # §4.4: per request of 50 tokens
EXPECTED_REQUESTS_PER_S = (5.0, 20.0)  # §4.4

PROVIDER = """\
import openai

class KimiK2Provider:
    def __init__(self, endpoint="http://localhost:8000/v1"):
        self.endpoint = endpoint
        self.client = openai.OpenAI(
            base_url=endpoint,
            api_key="dummy"
        )

    def generate(self, prompt, params):
        response = self.client.chat.completions.create(
            model="/models",
            messages=[{"role": "user", "content": prompt}],
            max_tokens=params.get("max_tokens", 4096),
            temperature=params.get("temperature", 0.7),
            top_p=params.get("top_p", 0.95),
            stream=False
        )
        return response.choices[0].message.content

    def stream(self, prompt, params):
        response = self.client.chat.completions.create(
            model="/models",
            messages=[{"role": "user", "content": prompt}],
            max_tokens=params.get("max_tokens", 4096),
            temperature=params.get("temperature", 0.7),
            stream=True
        )
        for chunk in response:
            if chunk.choices[0].delta.content:
                yield {"type": "content", "content": chunk.choices[0].delta.content}
"""  # §5.1

HEALTH_CHECK = """\
import requests
import time
from prometheus_client import Gauge, Counter

kimi_k2_health = Gauge('kimi_k2_health_status', 'Health status (1=healthy, 0=unhealthy)')
kimi_k2_restarts = Counter('kimi_k2_restart_total', 'Number of restarts')

def check_health():
    try:
        response = requests.get('http://localhost:8000/health', timeout=5)
        if response.status_code == 200:
            kimi_k2_health.set(1)
            return True
        else:
            kimi_k2_health.set(0)
            return False
    except Exception as e:
        kimi_k2_health.set(0)
        print(f"Health check failed: {e}")
        return False

def restart_if_unhealthy():
    if not check_health():
        print("Kimi K2 unhealthy, restarting...")
        os.system("docker-compose restart kimi-k2-vllm")
        kimi_k2_restarts.inc()
        time.sleep(60)

while True:
    restart_if_unhealthy()
    time.sleep(30)
"""  # §6.1

ERROR_RATE = 'rate(kimi_k2_requests_total{status="error"}[5m]) / rate(kimi_k2_requests_total[5m])'  # §6.3

PROXY = """\
server {
    listen 443 ssl;
    server_name kimi-k2.internal;

    ssl_certificate /etc/ssl/certs/kimi-k2.crt;
    ssl_certificate_key /etc/ssl/private/kimi-k2.key;

    location / {
        if ($http_x_api_key != "secret-key-here") {
            return 401;
        }

        proxy_pass http://localhost:8000;
        proxy_set_header Host $host;
        proxy_set_header X-Real-IP $remote_addr;
    }
}
"""  # §8.1
