import CCurl

extension EasyHandle {
    /// Sets all that does not depend on the request.
    func apply(_ settings: TransferSettings) throws(TransferError) {
        try set(CURLOPT_NOSIGNAL, 1)
        // Else the one thread of all transfers waits for a resolver that hangs, when its transfer is over long ago.
        try set(CURLOPT_QUICK_EXIT, 1)
        try set(CURLOPT_PROTOCOLS_STR, "http,https")
        try set(CURLOPT_FOLLOWLOCATION, 0)
        try set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        // Nothing is decompressed, so a small answer cannot grow.
        try set(CURLOPT_ACCEPT_ENCODING, nil)
        try set(CURLOPT_HTTP_CONTENT_DECODING, 0)
        try set(CURLOPT_CONNECTTIMEOUT_MS, settings.connectTimeout.milliseconds)
        try set(CURLOPT_TIMEOUT_MS, settings.totalTimeout.milliseconds)
        try set(CURLOPT_TCP_KEEPALIVE, 1)
        try setOffset(CURLOPT_MAXFILESIZE_LARGE, settings.maximumAnswer)
        try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        try applyTLS(settings)
        try applyProxy(settings.proxy)
    }

    private func applyTLS(_ settings: TransferSettings) throws(TransferError) {
        try set(CURLOPT_SSL_VERIFYPEER, 1)
        try set(CURLOPT_SSL_VERIFYHOST, 2)
        try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if let trustStore = settings.trustStore {
            try set(CURLOPT_CAINFO, trustStore)
            // Else the system's directory of certificates would be trusted as well.
            try set(CURLOPT_CAPATH, nil)
        }
        switch settings.clientCertificate {
        case .file(let path, let password)?:
            try set(CURLOPT_SSLCERT, path)
            try set(CURLOPT_SSLCERTTYPE, "P12")
            try set(CURLOPT_KEYPASSWD, password)
        case .octets(let octets, let password)?:
            try set(CURLOPT_SSLCERT_BLOB, octets: octets)
            try set(CURLOPT_SSLCERTTYPE, "P12")
            try set(CURLOPT_KEYPASSWD, password)
        case nil: break
        }
    }

    private func applyProxy(_ proxy: TransferSettings.Proxy?) throws(TransferError) {
        // An empty name, and an empty list of exceptions, keep the environment's proxies out.
        try set(CURLOPT_NOPROXY, "")
        guard let proxy else { return try set(CURLOPT_PROXY, "") }
        let host = proxy.host.contains(":") && !proxy.host.hasPrefix("[") ? "[\(proxy.host)]" : proxy.host
        try set(CURLOPT_PROXY, "http://\(host):\(proxy.port)")
        guard let credentials = proxy.credentials else { return }
        try set(CURLOPT_PROXYUSERNAME, credentials.user)
        try set(CURLOPT_PROXYPASSWORD, credentials.password)
        try set(
            CURLOPT_PROXYAUTH, credentials.scheme == .basic ? ccurl_auth_basic : ccurl_auth_digest)
    }
}

extension Duration {
    /// Whole milliseconds, at least one, because 0 would mean libcurl's own default.
    var milliseconds: Int {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        let most = Int64(Int32.max)
        guard !overflow, product < most else { return Int(most) }
        return max(1, Int(product + attoseconds / 1_000_000_000_000_000))
    }
}
