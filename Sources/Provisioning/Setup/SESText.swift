import XMLReading

/// The `ses.xml` that `ses setup` writes, with comments. `conf/ses.xml` is the same for the sample domain.
public struct SESText: Sendable {
    private let answers: SetupAnswers
    private let spool: String
    private let signing: String
    private let verification: String
    private let client: String
    /// True marks the values that a reader of the example has to change.
    private let isExample: Bool

    /// - Parameters:
    ///   - socket: The path of the embedded server's socket.
    ///   - spool: The path of the spool.
    ///   - client: The client id at the embedded server.
    public init(_ answers: SetupAnswers, spool: String, socket: String, client: String, isExample: Bool = false) {
        self.answers = answers
        self.spool = spool
        self.isExample = isExample
        switch answers.server {
        case .embedded:
            signing = "http://unix:\(socket):/adss/signing/dss"
            verification = "http://unix:\(socket):/adss/verification/dss"
            self.client = client
        case .remote(let signing, let verification, let client):
            self.signing = signing
            self.verification = verification
            self.client = client
        }
    }

    /// The beginning of a comment about a value that only the reader knows.
    private func change(_ text: String) -> String {
        isExample ? "CHANGE: " + text : text.prefix(1).uppercased() + text.dropFirst()
    }

    /// The document.
    public var text: String {
        ([head, settings] + [outgoing, incoming, processing].compactMap(\.self) + ["</SES>", ""]).joined(
            separator: "\n")
    }

    private var head: String {
        let about =
            isExample
            ? [
                "  The file works unchanged with the embedded server of the package: \"ses-dss init /var/lib/ses-dss\" makes its",
                "  keys, and the service ses-dss answers at the addresses below. Without the package it must run as the same",
                "  user. \"ses setup\" writes such a file for your domain. To change this one, set the values marked CHANGE.",
            ] : ["  Written by \"ses setup\"."]
        let lines =
            [
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<!--",
                "  Sign the mail of the organisation with one key, and verify signed mail that comes in.", "",
            ] + about + [
                "  \"ses check\" reports the faults of this file, with its option probe it also asks the servers, and \"ses explain\" shows",
                "  what would be done with a message, and why. Leave out elements that you do not need.", "-->",
                "<SES>",
            ]
        return lines.joined(separator: "\n")
    }

    private var settings: String {
        """
          <Settings>
            <!-- \(change("your mail domain.")) Repeat the element for each domain you have. -->
            <DomainName>\(escaped(answers.domain))</DomainName>
            <!-- \(change("where notices for the administrator go.")) -->
            <AdminEmailAddress>\(escaped(answers.administrator))</AdminEmailAddress>
            <!-- \(change("the client id under which the signing server knows you.")) -->
            <OriginatorId>\(escaped(client))</OriginatorId>
            <!--
              The action for a message that permanently cannot be signed or verified. Here and wherever an action is named:
              BLOCK_EMAIL, EMAIL_TO_ADMINISTRATOR, EMAIL_TO_RECIPIENTS, EMAIL_TO_ADMINISTRATOR_AND_RECIPIENTS,
              EMAIL_TO_SENDER, EMAIL_TO_ADMINISTRATOR_AND_SENDER.
            -->
            <EmailErrorAction>EMAIL_TO_ADMINISTRATOR</EmailErrorAction>
            <!-- \(change("the signing service.")) A <SecondaryAddress> is asked when the first server does not answer. -->
            <SigningServiceSettings>
              <SigningServiceAddress>
                <PrimaryAddress>\(escaped(signing))</PrimaryAddress>
              </SigningServiceAddress>
              <!-- Mail that matches no workflow. -->
              <NoFilterAction>EMAIL_TO_RECIPIENTS</NoFilterAction>
            </SigningServiceSettings>
            <!-- \(change("the verification service.")) -->
            <VerificationServiceSettings>
              <VerificationServiceAddress>
                <PrimaryAddress>\(escaped(verification))</PrimaryAddress>
              </VerificationServiceAddress>
              <!-- Mail that matches no workflow: mail without a signature passes unchanged. -->
              <NoFilterAction>EMAIL_TO_RECIPIENTS</NoFilterAction>
              <!-- Mail that was changed on its way, or is signed by somebody other than its author. -->
              <ResponseNotTrustedAction>EMAIL_TO_ADMINISTRATOR</ResponseNotTrustedAction>
            </VerificationServiceSettings>
            <!-- An HTTP proxy in front of the server: status="enable" and true values. -->
            <ProxySettings status="disable">
              <ProxyHost>proxy.example.test</ProxyHost>
              <ProxyPort>3128</ProxyPort>
              <Credentials status="disable">
                <ProxyUserName>ses</ProxyUserName>
                <ProxyPassword file="proxy.password"/>
                <AuthenticationScheme>BASIC</AuthenticationScheme>
              </Credentials>
            </ProxySettings>
            <!-- The certificate by which the server knows you over TLS. A password may be text, file="…" or env="…". -->
            <ClientAuthPfxSettings status="disable">
              <PfxFilePath>client.pfx</PfxFilePath>
              <PfxPassword file="client.password"/>
            </ClientAuthPfxSettings>
          </Settings>
        """
    }

    private var outgoing: String? {
        guard answers.directions.signs else { return nil }
        return """
              <Outgoing>
                <Sign>
                  <!-- The first workflow whose filter holds is the only one that runs. -->
                  <Workflow name="sign our mail">
                    <Filter>
                      <AND>
                        <From contains="*@\(escaped(answers.domain))"/>
                        <!-- Mail that is signed or encrypted already passes unchanged. -->
                        <Email signed="false" encrypted="false"/>
                      </AND>
                    </Filter>
                    <!--
                      SIGN_EMAIL signs the mail as a whole. "SIGN_ATTACHMENT, SIGN_EMAIL" signs the files in it too, each with the profile
                      and key of a <SignAttachment>: conf/samples/Sign_Outgoing_Email_PDF_Attachment.xml.
                    -->
                    <OperationRule>SIGN_EMAIL</OperationRule>
                    <ProfileSelection>
                      <!-- \(change("the signing profile of the server; empty leaves the choice to it.")) -->
                      <SignEmail profileId="\(escaped(answers.profile))"/>
                    </ProfileSelection>
                    <CertificateSelection>
                      <!--
                        \(change("the alias of the organisation's key at the server; NONE leaves the choice to the profile, and"))
                        FROM_EMAIL_ADDRESS takes a key of each sender.
                      -->
                      <SignEmail alias="\(escaped(answers.key))"/>
                    </CertificateSelection>
                  </Workflow>
                </Sign>
              </Outgoing>
            """
    }

    private var incoming: String? {
        guard answers.directions.verifies else { return nil }
        return """
              <Incoming>
                <Verify>
                  <!-- Signed mail is verified, and says above its text what came of it. -->
                  <Workflow name="verify signed mail">
                    <Filter>
                      <AND>
                        <Email signed="true"/>
                      </AND>
                    </Filter>
                    <OperationRule>VERIFY_EMAIL, VERIFY_ATTACHMENT</OperationRule>
                    <!--
                      How the result is shown: ADD_RESULT_TO_TOP, ADD_RESULT_TO_BOTTOM, ADD_ORIGINAL_EMAIL_AS_ATTACHMENT (the signed
                      mail as received, inside of a new one) or SEND_ORIGINAL_EMAIL. attachResponseXml="true" adds the answer of the
                      server.
                    -->
                    <VerificationResultRule attachResponseXml="false">ADD_RESULT_TO_TOP</VerificationResultRule>
                  </Workflow>
                  <!-- Signed PDFs in mail that is not signed itself. -->
                  <Workflow name="verify signed PDFs">
                    <Filter>
                      <AND>
                        <Attachment contains="pdf" signed="true"/>
                      </AND>
                    </Filter>
                    <OperationRule>VERIFY_ATTACHMENT</OperationRule>
                    <VerificationResultRule attachResponseXml="false">ADD_RESULT_TO_TOP</VerificationResultRule>
                  </Workflow>
                </Verify>
              </Incoming>
            """
    }

    private var processing: String {
        """
          <Processing>
            <!-- The spool; a relative path is read from the directory of this file. -->
            <Spool>\(escaped(spool))</Spool>
            <!--
              The organisation's key signs for every sender of the domain: a certificate with an address in it may sign for any
              author in it.
            -->
            <OrganisationSigner>
              <Domain>\(escaped(answers.domain))</Domain>
            </OrganisationSigner>
            <!--
              Mail signed by somebody whose authority is not known here, or whose certificate cannot be judged now: it is delivered with
              a banner that says so. EMAIL_TO_ADMINISTRATOR keeps it from the recipients until somebody decides.
            -->
            <ResponseIndeterminateAction>EMAIL_TO_RECIPIENTS</ResponseIndeterminateAction>
          </Processing>
        """
    }

    private func escaped(_ text: String) -> String { XMLEscaping.attribute(text) }
}
