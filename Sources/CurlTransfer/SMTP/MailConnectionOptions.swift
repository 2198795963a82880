import CCurl

extension EasyHandle {
    /// Sets all that a connection to a mail server needs, but the callbacks.
    func apply(
        _ settings: MailConnectionSettings, _ encryption: MailConnectionSettings.Encryption
    ) throws(TransferError) {
        try set(CURLOPT_NOSIGNAL, 1)
        try set(CURLOPT_PROTOCOLS_STR, "smtp,smtps")
        try set(CURLOPT_PROXY, "")
        try set(CURLOPT_NOPROXY, "")
        try set(CURLOPT_CONNECT_ONLY, 1)
        try set(CURLOPT_URL, try settings.url(isImplicit: encryption.isImplicit))
        if let address = settings.address {
            let isIPv6 = address.contains(":")
            guard address.utf8.allSatisfy(\.isAddressOctet) else {
                throw TransferError(.url, "'\(address)' is no IP address")
            }
            try setAddress(isIPv6 ? "[\(address)]" : address, of: settings.host, port: settings.port)
        }
        if let bindAddress = settings.bindAddress {
            guard bindAddress.utf8.allSatisfy(\.isAddressOctet) else {
                throw TransferError(.url, "the address to connect from, '\(bindAddress)', is no IP address")
            }
            try set(CURLOPT_INTERFACE, "host!" + bindAddress)
        }
        try set(CURLOPT_CONNECTTIMEOUT_MS, settings.connectTimeout.milliseconds)
        try set(CURLOPT_TIMEOUT_MS, settings.openingTimeout.milliseconds)
        // Else each reply would have two minutes at most, whatever the settings say.
        try set(CURLOPT_SERVER_RESPONSE_TIMEOUT, settings.openingTimeout.milliseconds / 1000 + 1)
        try set(CURLOPT_TCP_KEEPALIVE, 1)
        try apply(encryption, trustStore: settings.trustStore)
        if let credentials = settings.credentials { try apply(credentials) }
    }

    private func apply(
        _ encryption: MailConnectionSettings.Encryption, trustStore: String?
    ) throws(TransferError) {
        try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        switch encryption {
        case .off: try set(CURLOPT_USE_SSL, Int(CURLUSESSL_NONE.rawValue))
        case .opportunistic:
            try set(CURLOPT_USE_SSL, Int(CURLUSESSL_TRY.rawValue))
            try apply(.unverified, trustStore: nil)
        case .startTLS(let trust), .implicitTLS(let trust):
            try set(CURLOPT_USE_SSL, Int(CURLUSESSL_ALL.rawValue))
            try apply(trust, trustStore: trustStore)
        }
    }

    private func apply(_ trust: MailConnectionSettings.Trust, trustStore: String?) throws(TransferError) {
        switch trust {
        case .verified:
            try set(CURLOPT_SSL_VERIFYPEER, 1)
            try set(CURLOPT_SSL_VERIFYHOST, 2)
            guard let trustStore else { return }
            try set(CURLOPT_CAINFO, trustStore)
            // Else the system's directory of certificates would be trusted as well.
            try set(CURLOPT_CAPATH, nil)
        case .unverified:
            try set(CURLOPT_SSL_VERIFYPEER, 0)
            try set(CURLOPT_SSL_VERIFYHOST, 0)
        case .pinned(let pins):
            guard !pins.isEmpty else {
                throw TransferError(.url, "the server's key is to be pinned, and no pin is given")
            }
            try set(CURLOPT_SSL_VERIFYPEER, 0)
            try set(CURLOPT_SSL_VERIFYHOST, 0)
            try set(CURLOPT_PINNEDPUBLICKEY, pins.map(\.description).joined(separator: ";"))
        }
    }

    private func apply(_ credentials: MailConnectionSettings.Credentials) throws(TransferError) {
        guard !credentials.mechanisms.isEmpty else {
            throw TransferError(.url, "credentials are set, and no mechanism is allowed for them")
        }
        try set(CURLOPT_USERNAME, credentials.user)
        try set(CURLOPT_PASSWORD, credentials.password)
        try set(CURLOPT_LOGIN_OPTIONS, credentials.mechanisms.map { "AUTH=\($0.rawValue)" }.joined(separator: ";"))
    }
}

extension MailConnectionSettings {
    /// libcurl takes the name for EHLO from the path.
    fileprivate func url(isImplicit: Bool) throws(TransferError) -> String {
        guard !host.isEmpty, host.utf8.allSatisfy(\.isHostOctet) else {
            throw TransferError(.url, "'\(host)' is neither a host name nor an IP address")
        }
        guard (1...65_535).contains(port) else { throw TransferError(.url, "there is no port \(port)") }
        guard !heloName.isEmpty, heloName.utf8.count <= 255, heloName.utf8.allSatisfy(\.isHeloOctet) else {
            throw TransferError(.url, "'\(heloName)' cannot be said in EHLO")
        }
        let path = heloName.replacing("[", with: "%5B").replacing("]", with: "%5D")
        let authority = host.contains(":") ? "[\(host)]" : host
        return "\(isImplicit ? "smtps" : "smtp")://\(authority):\(port)/\(path)"
    }
}

extension UInt8 {
    fileprivate var isAddressOctet: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x46, 0x61...0x66, UInt8(ascii: "."), UInt8(ascii: ":"): true
        default: false
        }
    }

    fileprivate var isHostOctet: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
            UInt8(ascii: ":"):
            true
        default: false
        }
    }

    fileprivate var isHeloOctet: Bool { isHostOctet || self == UInt8(ascii: "[") || self == UInt8(ascii: "]") }
}
