package import CurlTransfer
package import SESConfiguration
package import SMTPClient

extension RelayRoute {
    /// The way to connect to `gateway` by the settings of this route.
    /// - Parameter heloName: The name of this host where the route names none.
    package func connection(to gateway: Gateway, heloName: String) -> MailConnectionSettings {
        var settings = MailConnectionSettings(
            host: gateway.host, port: gateway.port, heloName: self.heloName ?? heloName)
        settings.encryption =
            switch gateway.security.level {
            case .off: .off
            case .may: .opportunistic
            case .required: .startTLS(.unverified)
            case .verified: .startTLS(.verified)
            case .pinned:
                .startTLS(
                    .pinned((gateway.security.pin ?? "").split(separator: ";").compactMap { PublicKeyPin(String($0)) }))
            case .implicit: .implicitTLS(.verified)
            }
        settings.trustStore = gateway.security.authorities
        settings.credentials = gateway.credentials.map {
            MailConnectionSettings.Credentials(
                user: $0.userName, password: $0.password.reveal(), exposure: $0.areSentInClear ? .inClear : .underTLS)
        }
        settings.bindAddress = bindAddress
        settings.connectTimeout = .seconds(connectTimeout)
        settings.openingTimeout = .seconds(max(connectTimeout, replyTimeout))
        return settings
    }

    /// The times that a server of this route may take.
    package var timeouts: SMTPTimeouts {
        var timeouts = SMTPTimeouts()
        timeouts.command = .seconds(replyTimeout)
        timeouts.data = .seconds(replyTimeout)
        // Too short a wait for the last reply causes repeats. So it is never below the time of RFC 5321 §4.5.3.2.6,
        // unless the general time is far shorter.
        timeouts.finalReply = .seconds(replyTimeout * 2)
        return timeouts
    }
}
