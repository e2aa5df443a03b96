# The registry server, and with it every command of the operator. Two stages: what builds is
# not what runs. No shell is needed to run it, no root, and no writable root file system.
FROM node:24.21.0-slim AS build
WORKDIR /app
COPY package.json package-lock.json tsconfig.json tsconfig.build.json ./
# `npm ci` bundles the scripts of the pages, too.
COPY scripts ./scripts
COPY src ./src
RUN npm ci
RUN npm run build
# What is only for development goes; no package that is left runs a script when it is installed.
RUN npm ci --omit=dev --ignore-scripts

FROM node:24.21.0-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
COPY bin ./bin
USER 1000:1000
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=4s --start-period=150s --start-interval=1s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "bin/weighhouse.js"]
CMD ["--help"]
