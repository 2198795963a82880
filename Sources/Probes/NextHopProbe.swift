import CurlTransfer
import Delivery
package import InternetMessage
import MailExchange
package import SESConfiguration
import SMTPClient

/// Looks whether the next hops of `relay.xml` answer, with the encryption and the login that it asks for, and whether
/// they take mail for the administrator. No message is sent. Its calls block.
package struct NextHopProbe: Sendable {
    /// The notice to the administrator that is tried.
    package struct Notice: Sendable {
        package let administrator: AddrSpec
        package let sender: AddrSpec
        /// True if the administrator is one of our own people, so that notices travel inwards.
        package let isInternal: Bool

        package init(administrator: AddrSpec, sender: AddrSpec, isInternal: Bool) {
            self.administrator = administrator
            self.sender = sender
            self.isInternal = isInternal
        }
    }

    private let configuration: RelayConfiguration
    private let file: String
    private let hostName: String

    /// - Parameters:
    ///   - file: The path of `relay.xml`, for findings.
    ///   - hostName: The name of this host, said in EHLO where the configuration has none.
    package init(_ configuration: RelayConfiguration, file: String, hostName: String) {
        self.configuration = configuration
        self.file = file
        self.hostName = configuration.serverNames.first ?? hostName
    }

    /// The longest time for a connection, and for a reply, in seconds.
    private static let patience = 10

    /// Tries every gateway, and the way to the administrator.
    /// - Parameter notice: nil if there is no administrator to tell.
    package func findings(_ notice: Notice?) -> [ProbeFinding] {
        var findings: [ProbeFinding] = []
        var told: Set<String> = []
        for route in configuration.routes {
            guard case .gateway(let gateway) = route.target else { continue }
            let place = "\(gateway.host):\(gateway.port)"
            switch session(route.connection(to: gateway, heloName: hostName), route) {
            case .failure(let failure):
                guard told.insert(place).inserted else { continue }
                findings.append(
                    ProbeFinding(
                        .fault, .nextHop, "next-hop", file, "route \(route.name): \(failure.summary)",
                        remedy: advice(on: failure, gateway)))
            case .success(let session):
                let what = how(session, gateway)
                session.quit()
                guard told.insert(place).inserted else { continue }
                findings.append(ProbeFinding(.fine, .nextHop, "ok", file, "\(place) answers" + what))
            }
        }
        if let notice { findings.append(contentsOf: finding(notice, silent: findings.contains { $0.level == .fault })) }
        return findings
    }

    private func session(
        _ settings: MailConnectionSettings, _ route: RelayRoute
    ) -> Result<SMTPSession, SMTPFailure> {
        var settings = settings
        settings.connectTimeout = min(settings.connectTimeout, .seconds(Self.patience))
        settings.openingTimeout = min(settings.openingTimeout, .seconds(2 * Self.patience))
        var timeouts = route.timeouts
        timeouts.command = min(timeouts.command, .seconds(Self.patience))
        do throws(SMTPFailure) {
            return .success(try SMTPSession(settings, timeouts: timeouts))
        } catch {
            return .failure(error)
        }
    }

    private func how(_ session: SMTPSession, _ gateway: RelayRoute.Gateway) -> String {
        var words = [session.isEncrypted ? "with TLS" : "without TLS"]
        if let failure = session.encryptionFailure { words.append("because \(failure)") }
        if let credentials = gateway.credentials { words.append("and takes the login of \(credentials.userName)") }
        return " " + words.joined(separator: " ")
    }

    /// The remedy for a failure in this part of the dialogue.
    private func advice(on failure: SMTPFailure, _ gateway: RelayRoute.Gateway) -> String {
        switch failure.phase {
        case .lookup, .connect, .greeting:
            "start the mail server there, or correct <gateway> and <gatewayPort>; if it is the mail server of this"
                + " machine, pair it first (ses-pair)"
        case .ehlo, .startTLS, .handshake:
            "make the server's encryption fit <TLS level=\"\(gateway.security.level.rawValue)\">: correct its"
                + " certificate, or choose another level"
        case .auth: "correct <gatewayusername> and <gatewayPassword>, or allow the login at the server"
        case .preparation, .mail, .rcpt, .data, .content, .finalReply, .reset: "see the log of that server"
        }
    }

    // MARK: - The administrator

    private func finding(_ notice: Notice, silent: Bool) -> [ProbeFinding] {
        let given = RouteCriteria.Given(
            direction: notice.isInternal ? .incoming : .outgoing, source: .admin, sender: .address(notice.sender),
            recipient: notice.administrator)
        guard let route = configuration.routes.first(where: { $0.criteria.matches(given) }) else { return [] }
        switch route.target {
        case .sendmail: return []
        case .gateway(let gateway):
            return asked(notice, [route.connection(to: gateway, heloName: hostName)], route, silent: silent)
        case .mailExchangers(let security):
            var lookup = MailExchangeLookup()
            lookup.servers = configuration.dnsServers.compactMap { NameServer($0) }
            lookup.ownNames = Set(configuration.serverNames + [hostName])
            let general = route.connection(
                to: RelayRoute.Gateway(host: "", port: 25, security: security, credentials: nil), heloName: hostName)
            do throws(MailExchangeError) {
                let targets = SMTPTarget.targets(of: try lookup.exchangers(of: notice.administrator.domain) { false })
                return asked(notice, targets.prefix(3).map { general.directed(to: $0) }, route, silent: false)
            } catch {
                return [
                    ProbeFinding(
                        .fault, .administrator, "recipient-refused", file,
                        "mail for \(notice.administrator) cannot be delivered: \(error.detail)",
                        remedy: "correct <AdminEmailAddress>, or the name servers of this machine")
                ]
            }
        }
    }

    /// - Parameter silent: True if it was told already that a next hop does not answer.
    private func asked(
        _ notice: Notice, _ ways: [MailConnectionSettings], _ route: RelayRoute, silent: Bool
    ) -> [ProbeFinding] {
        var last: SMTPFailure?
        for way in ways {
            switch session(way, route) {
            case .failure(let failure): last = failure
            case .success(let session):
                let failure = session.refusal(of: notice.administrator, from: notice.sender)
                let place = "\(way.host):\(way.port)"
                session.quit()
                guard let failure else {
                    return [
                        ProbeFinding(
                            .fine, .administrator, "ok", file, "\(place) takes mail for \(notice.administrator)")
                    ]
                }
                return [
                    ProbeFinding(
                        failure.permanence == .permanent ? .fault : .warning, .administrator, "recipient-refused", file,
                        "notices to the administrator would not arrive: \(place) says of \(notice.administrator):"
                            + " \(failure.summary)",
                        remedy: "correct <AdminEmailAddress>, or let that server take mail for it")
                ]
            }
        }
        guard !silent, let last else { return [] }
        return [
            ProbeFinding(
                .fault, .administrator, "next-hop", file,
                "notices to \(notice.administrator) cannot be delivered: \(last.summary)")
        ]
    }
}
