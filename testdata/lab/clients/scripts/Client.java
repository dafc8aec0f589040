import java.io.FileInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Arrays;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** Does requests with java.net.http: Client.java VERSION CAFILE PROXY|- METHOD,BYTES,URL... */
public class Client {
    public static void main(String[] args) throws Exception {
        if (!args[2].equals("-")) throw new IllegalArgumentException("this client takes no proxy");
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (FileInputStream in = new FileInputStream(args[1])) {
            store.setCertificateEntry("root", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        HttpClient client = HttpClient.newBuilder().sslContext(context)
                .version(args[0].equals("h1") ? HttpClient.Version.HTTP_1_1 : HttpClient.Version.HTTP_2).build();
        for (String arg : Arrays.copyOfRange(args, 3, args.length)) {
            String[] part = arg.split(",", 3);
            byte[] body = new byte[Integer.parseInt(part[1])];
            HttpRequest.BodyPublisher publisher = body.length == 0
                    ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofByteArray(body);
            HttpRequest request = HttpRequest.newBuilder(URI.create(part[2])).method(part[0], publisher).build();
            client.send(request, HttpResponse.BodyHandlers.discarding());
        }
        System.exit(0); // the client's threads would linger
    }
}
