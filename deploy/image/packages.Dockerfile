# Nothing but the package: for `COPY --from=` in a Dockerfile of your own, and for image volumes of Kubernetes.
FROM scratch
ADD litellm_homelab-*-site-packages.tar.gz /homelab/
