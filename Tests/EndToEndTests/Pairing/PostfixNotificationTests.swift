import Foundation
import TestSupport
import Testing

extension EndToEnd.PairedWithPostfix {
    @Suite("A sender's notification request through Postfix")
    struct Notifications {
        /// Puts a mail of Alice into the spool, as a mail server would.
        private func drop(_ house: MailHouse, to recipient: String, id: String, _ options: [String]) async throws {
            try await house.spool.drop(
                MailSamples.plain(to: recipient, id: id), to: .outgoing, from: MailSamples.alice,
                recipients: [recipient], options: options)
        }

        /// The report about a message in Alice's mailbox.
        private func report(_ house: MailHouse, of id: String) async throws -> String {
            let found = try #require(try await house.messages(id, of: MailSamples.alice).first)
            return String(decoding: found, as: UTF8.self)
        }

        @Test("the last server reports success, which got the request through ses, ses-relay and two Postfixes")
        func success() async throws {
            let house = try await MailHouse.shared
            let id = MailHouse.identifier()
            try await drop(
                house, to: PartnerAuthority.carol, id: id, ["-N", "success", "-R", "hdrs", "-V", "deal+20\(id)"])
            let signed = try #require(try await house.messages(id, of: PartnerAuthority.carol).first)
            #expect(try await OpenSSL.verify(signed, anchor: house.anchor).status == 0)
            let report = try await report(house, of: id)
            #expect(report.contains("Original-Envelope-Id: deal \(id)\r\n"), "\(report)")
            #expect(report.contains("Reporting-MTA: dns; mail.elsewhere.test\r\n"), "\(report)")
            #expect(report.contains("Action: delivered\r\n") && report.contains("text/rfc822-headers"), "\(report)")
        }

        @Test(
            "a request of another server comes over LMTP to the last one, which names the recipient as that server did")
        func overLMTP() async throws {
            let house = try await MailHouse.shared
            let id = MailHouse.identifier()
            _ = try await TestPython.run(
                "endtoend/dsn_client.py",
                [
                    "\(house.door.port)", PartnerAuthority.carol, "RET=HDRS ENVID=\(id)",
                    "\(MailSamples.bob)=NOTIFY=SUCCESS ORCPT=rfc822;Robert+2Bx@example.test",
                ])
            let report = try await house.message(
                subject: "Original-Envelope-Id: \(id)", of: PartnerAuthority.carol)
            let text = String(decoding: report, as: UTF8.self)
            #expect(text.contains("Original-Recipient: rfc822;Robert+x@example.test\r\n"), "\(text)")
            #expect(text.contains("Action: delivered\r\n"), "\(text)")
        }

        @Test("a failure returns what RET says, and is not reported if NOTIFY is never")
        func failure() async throws {
            let house = try await MailHouse.shared
            let nobody = "nobody-there@elsewhere.test"
            let silent = MailHouse.identifier()
            try await drop(house, to: nobody, id: silent, ["-N", "never"])
            for (option, type) in [("hdrs", "text/rfc822-headers"), ("full", "message/rfc822")] {
                let id = MailHouse.identifier()
                try await drop(house, to: nobody, id: id, ["-N", "failure", "-R", option, "-V", id])
                let report = try await report(house, of: id)
                #expect(report.contains("Content-Type: \(type)"), "\(report)")
                #expect(report.contains("Original-Envelope-Id: \(id)\r\n"), "\(report)")
                #expect(report.contains("Action: failed\r\n"), "\(report)")
            }
            try await house.settled()
            let told = try await house.dovecot.messages(of: MailSamples.alice).filter {
                $0.firstRange(of: Array(silent.utf8)) != nil
            }
            #expect(told.isEmpty)
        }
    }
}
