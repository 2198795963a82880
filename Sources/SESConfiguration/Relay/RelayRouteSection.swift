import InternetMessage
import Delivery
import XMLReading

extension ConfigurationReading {
    /// The elements that describe a next hop, in a `Route`, or in `Relay` itself for all messages that match no route.
    static let routeElements = [
        "gateway", "gatewayPort", "gatewayusername", "gatewayUsername", "gatewayPassword", "TLS", "Timeout", "HeloName",
        "BindAddress", "MaxConnections", "Sendmail",
    ]

    func readRoute(_ element: XMLElement, name: String, isInText: inout Bool) -> RelayRoute? {
        let isRoute = element.localName == "Route"
        if isRoute {
            inspect(
                element, children: Self.routeElements,
                attributes: ["name", "direction", "folder", "fromDomain", "toDomain"])
        }
        let criteria = isRoute ? readCriteria(element) : RouteCriteria()
        let timeouts = readTimeouts(element.child("Timeout"))
        let helo = domainOrLiteral(filledLeaf(element.child("HeloName")))
        let bind = numericAddress(filledLeaf(element.child("BindAddress")))
        let connections = integer(filledLeaf(element.child("MaxConnections")), in: 1...256)
        guard let target = readTarget(element, isInText: &isInText) else { return nil }
        return RelayRoute(
            name: attribute("name", of: element)?.value ?? name, criteria: criteria, target: target,
            connectTimeout: timeouts.connect, replyTimeout: timeouts.reply, heloName: helo, bindAddress: bind,
            maxConnections: connections ?? 8)
    }

    // MARK: - Where to

    private func readTarget(_ element: XMLElement, isInText: inout Bool) -> RelayRoute.Target? {
        let others = ["gateway", "gatewayPort", "gatewayusername", "gatewayUsername", "gatewayPassword", "TLS"]
            .compactMap { element.child($0) }
        if let sendmail = element.child("Sendmail") {
            inspect(sendmail, attributes: ["path", "dsn"])
            if let other = others.first {
                fault(
                    .conflict, line: other.line,
                    "<\(other.localName)> stands beside <Sendmail>, which needs no server",
                    expected: "one of the two")
            }
            guard let path = path(attribute("path", of: sendmail)), path.hasPrefix("/") else {
                fault(
                    .missing, line: sendmail.line, "<Sendmail> does not say where it is",
                    expected: "path=\"/usr/sbin/sendmail\"")
                return nil
            }
            if !ConfigurationFile.isExecutable(path) {
                warn(.unreadableFile, line: sendmail.line, "\(path) is not there or cannot be run by this user")
            }
            let dsn = attribute("dsn", of: sendmail)
            let takesDSN = truth(dsn) ?? false
            if takesDSN, let dsn, ConfigurationFile.followed(path).split(separator: "/").last?.hasPrefix("exim") == true
            {
                fault(
                    .conflict, line: dsn.line, "\(path) is Exim, to which -N and -R mean something else",
                    expected: "dsn=\"false\", or a <gateway> instead of <Sendmail>")
            }
            return .sendmail(path: path, takesDSN: takesDSN)
        }
        let security = readSecurity(element.child("TLS"))
        let credentials = readCredentials(element, security, isInText: &isInText)
        let gateway = filledLeaf(element.child("gateway"))
        let port = integer(filledLeaf(element.child("gatewayPort")), in: 1...65_535)
        guard let gateway else {
            for name in ["gatewayPort", "gatewayusername", "gatewayUsername", "gatewayPassword"] {
                guard let child = element.child(name), element.child("gateway") == nil else { continue }
                fault(
                    .conflict, line: child.line, "<\(name)> stands without <gateway>",
                    expected: "<gateway>, or neither: then mail goes to the exchangers of each domain")
            }
            if let tls = element.child("TLS"), let level = security?.level, level == .implicit || level == .pinned {
                fault(
                    .conflict, line: tls.line, "TLS level=\"\(level.rawValue)\" needs a <gateway>",
                    expected: "off, may, required or verified for mail exchangers")
            }
            return security.map { .mailExchangers($0) }
        }
        guard !refusesPort(inside: gateway), let host = host(gateway), let security else { return nil }
        return .gateway(
            RelayRoute.Gateway(
                host: host, port: port ?? (security.level == .implicit ? 465 : 25), security: security,
                credentials: credentials))
    }

    /// Refuses what people write from other programs: `mail.example.org:25`, `[192.0.2.1]:25`,
    /// `smtp://mail.example.org`.
    /// - Returns: False if there is nothing of the kind in the name.
    private func refusesPort(inside gateway: Located<String>) -> Bool {
        guard let match = gateway.value.wholeMatch(of: /(?:[a-z]+:\/\/)?(\[[^\]]+\]|[^:\/\[\]]+)(?::([0-9]+))?\/?/),
            String(match.1) != gateway.value
        else { return false }
        let host = match.1.hasPrefix("[") ? String(match.1.dropFirst().dropLast()) : String(match.1)
        let what = match.2 == nil ? "is more than a host name" : "has a port inside"
        fault(
            .conflict, line: gateway.line, "\(quoted(gateway.value)) in <gateway> \(what)",
            expected: "<gateway>\(host)</gateway>"
                + (match.2.map { " and <gatewayPort>\($0)</gatewayPort>" }
                    ?? ", and <gatewayPort> for another port than 25"))
        return true
    }

    private func readCredentials(
        _ element: XMLElement, _ security: RelayRoute.TransportSecurity?, isInText: inout Bool
    ) -> RelayRoute.Credentials? {
        let names = ["gatewayusername", "gatewayUsername"].compactMap { element.child($0) }
        if names.count > 1 {
            fault(
                .repeated, line: names[1].line,
                "the user name is given in both spellings, first on line \(names[0].line)",
                expected: "it once")
        }
        guard let nameElement = names.first else {
            if let password = element.child("gatewayPassword") {
                fault(.missing, line: password.line, "<gatewayPassword> stands without <gatewayusername>")
            }
            return nil
        }
        inspect(nameElement, attributes: ["inClear"], takesText: true)
        let inClear = truth(attribute("inClear", of: nameElement)) ?? false
        let password = secret("gatewayPassword", in: element, isInText: &isInText)
        guard !nameElement.trimmedText.isEmpty else {
            fault(.badValue, line: nameElement.line, "<\(nameElement.localName)> is empty", expected: "a user name")
            return nil
        }
        if let security, security.level == .off || security.level == .may, !inClear {
            fault(
                .conflict, line: nameElement.line,
                "the password could go over a connection that is not encrypted: TLS level=\"\(security.level.rawValue)\"",
                expected: "<TLS level=\"required\"/> or better, or inClear=\"true\" at the user name for a safe network"
            )
        }
        guard let password else { return nil }
        return RelayRoute.Credentials(userName: nameElement.trimmedText, password: password, areSentInClear: inClear)
    }

    private func readSecurity(_ element: XMLElement?) -> RelayRoute.TransportSecurity? {
        guard let element else { return RelayRoute.TransportSecurity(level: .may, authorities: nil, pin: nil) }
        inspect(element, attributes: ["level", "ca", "pin"])
        let authorities = path(attribute("ca", of: element))
        if let authorities { warnOfUnreadable(authorities, line: element.line, what: "the file of authorities") }
        let pin = attribute("pin", of: element)
        guard let text = attribute("level", of: element) else {
            fault(
                .missing, line: element.line, "<TLS> does not say its level",
                expected: Self.oneOf(RelayRoute.TransportSecurity.Level.allCases.map(\.rawValue)))
            return nil
        }
        guard let level = word(text, as: RelayRoute.TransportSecurity.Level.self) else { return nil }
        if (level == .pinned) != (pin != nil) {
            fault(
                .conflict, line: element.line, "level=\"\(level.rawValue)\" \(pin == nil ? "needs" : "takes no") pin",
                expected: "pin=\"sha256//…\" with level=\"pinned\", and only there")
        }
        if let pin, !Self.isPin(pin.value) {
            fault(
                .badValue, line: pin.line, "\(quoted(pin.value)) is no value of \(pin.place)",
                expected: "sha256// and the base64 of the key's digest (44 characters), several separated by semicolons"
            )
        }
        if authorities != nil, level != .verified, level != .implicit {
            fault(
                .conflict, line: element.line, "level=\"\(level.rawValue)\" looks at no authority, but ca is given",
                expected: "ca with level=\"verified\" or \"implicit\"")
        }
        return RelayRoute.TransportSecurity(level: level, authorities: authorities, pin: pin?.value)
    }

    private static func isPin(_ text: String) -> Bool {
        text.split(separator: ";", omittingEmptySubsequences: false).allSatisfy { item in
            guard item.hasPrefix("sha256//") else { return false }
            let digest = item.dropFirst(8)
            return digest.utf8.count == 44 && digest.hasSuffix("=")
                && digest.dropLast().utf8.allSatisfy { octet in
                    (0x30...0x39).contains(octet) || (0x41...0x5A).contains(octet) || (0x61...0x7A).contains(octet)
                        || octet == 0x2B || octet == 0x2F
                }
        }
    }

    private func readTimeouts(_ element: XMLElement?) -> (connect: Int, reply: Int) {
        let standard = (connect: 30, reply: 300)
        guard let element else { return standard }
        inspect(element, attributes: ["connect", "reply"])
        if element.attributes.isEmpty {
            fault(
                .missing, line: element.line, "<Timeout> says nothing", expected: "connect=, reply= or both, in seconds"
            )
        }
        return (
            integer(attribute("connect", of: element), in: 1...3_600, unit: " seconds") ?? standard.connect,
            integer(attribute("reply", of: element), in: 1...3_600, unit: " seconds") ?? standard.reply
        )
    }

    // MARK: - Which messages

    private func readCriteria(_ element: XMLElement) -> RouteCriteria {
        RouteCriteria(
            direction: word(attribute("direction", of: element), as: RouteCriteria.Direction.self),
            source: word(attribute("folder", of: element), as: RouteCriteria.Source.self),
            fromDomains: domainPatterns(attribute("fromDomain", of: element)),
            toDomains: domainPatterns(attribute("toDomain", of: element)))
    }

    /// `example.org, *.example.org`.
    private func domainPatterns(_ text: Located<String>?) -> [DomainPattern] {
        guard let text else { return [] }
        return text.value.split(separator: ",", omittingEmptySubsequences: false).compactMap { item in
            let name = item.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed().map(String.init).joined()
            let isForSubdomains = name.hasPrefix("*.")
            let plain = isForSubdomains ? String(name.dropFirst(2)) : name
            guard let domain = domain(Located(plain, line: text.line, place: text.place)) else { return nil }
            return DomainPattern(domain: domain, isForSubdomains: isForSubdomains)
        }
    }

    /// A host name, or an address literal in brackets (RFC 5321 §4.1.3).
    private func domainOrLiteral(_ text: Located<String>?) -> String? {
        guard let text else { return nil }
        if text.value.hasPrefix("["), text.value.hasSuffix("]"), text.value.count > 2,
            text.value.dropFirst().dropLast().utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x5B && $0 != 0x5D })
        {
            return text.value
        }
        return domain(text)
    }
}
