package signatures

import (
	"strings"
	"testing"
)

// neighbours are names beside those of services: products that have an AI part with a name of its own, endpoints of the same clouds,
// words that end or begin like a vendor's name, and namesakes. None of them is use of AI by itself.
const neighbours = `
linear.app www.notion.so api.notion.com www.atlassian.com api.atlassian.com id.atlassian.com app.asana.com api.stripe.com dashboard.stripe.com api.paypal.com
squareup.com connect.squareup.com sentry.io vercel.com api.vercel.com supabase.com api.supabase.com www.sanity.io api.sanity.io www.canva.com api.canva.com
amplitude.com api2.amplitude.com app.hubspot.com api.hubapi.com api.slack.com posthog.com us.i.posthog.com app.attio.com api.apify.com
www.cloudflare.com api.cloudflare.com dash.cloudflare.com workers.dev www.wix.com editor.wix.com webflow.com api.webflow.com semgrep.dev dashboard.render.com
www.prisma.io www.morningstar.com api.monday.com acme.monday.com api.miro.com www.mercadolibre.com api.mercadolibre.com www.mercadopago.com logrocket.com
invideo.com instantdb.com incident.io globalping.dev dodopayments.com docs.astro.build astro.build app.close.com api.close.com carbonvoice.app brightdata.com
app.pulumi.com www.openzeppelin.com nango.dev api.nango.dev app.intercom.com widget.intercom.io www.figma.com api.figma.com app.box.com api.box.com upload.box.com
www.docusign.com na4.docusign.net www.klaviyo.com a.klaviyo.com api.pagerduty.com events.pagerduty.com www.similarweb.com app.apollo.io app.clickup.com
api.datadoghq.com app.datadoghq.com zoom.us us02web.zoom.us api.zoom.us www.zoominfo.com acme.egnyte.com pitchbook.com www.synapse.org www.factset.com
www.biorender.com supermetrics.com www.opentargets.org owkin.com gitlab.com neon.tech console.neon.tech www.okteto.com www.netlify.com fly.io railway.app

s3.amazonaws.com s3.eu-central-1.amazonaws.com ec2.us-east-1.amazonaws.com sts.us-west-2.amazonaws.com lambda.eu-west-1.amazonaws.com dynamodb.us-east-1.amazonaws.com
sns.us-east-1.amazonaws.com kms.eu-west-3.amazonaws.com logs.ap-south-1.amazonaws.com monitoring.us-east-2.amazonaws.com ssm.us-east-1.amazonaws.com
rds.us-east-1.amazonaws.com elasticloadbalancing.us-east-1.amazonaws.com cognito-idp.eu-west-1.amazonaws.com sso.us-east-1.amazonaws.com oidc.us-east-1.amazonaws.com
ecr.us-east-1.api.aws lambda.us-east-1.api.aws ec2.us-east-1.api.aws s3.dualstack.us-east-1.amazonaws.com polly.amazonaws.com translate.amazonaws.com
mypolly.us-east-1.amazonaws.com.example notbedrock.us-east-1.amazonaws.com my-bedrock-runtime.us-east-1.amazonaws.com bedrockx.us-east-1.amazonaws.com
polly.us-east-1.amazonaws.com.evil.example rekognition.eu-west-1.amazonaws.com.cn wisdomtree.us-east-1.amazonaws.com xtextract.us-east-1.amazonaws.com
translate.google.com translate.googleapis.com translate-pa.googleapis.com fcm.googleapis.com oauth2.googleapis.com people.googleapis.com calendar-json.googleapis.com
gmail.googleapis.com drive.googleapis.com sheets.googleapis.com maps.googleapis.com youtube.googleapis.com pubsub.googleapis.com bigquery.googleapis.com
storage.googleapis.com www.googleapis.com logging.googleapis.com cloudresourcemanager.googleapis.com speechs.googleapis.com myvision.googleapis.com
visions.googleapis.com us-vision.example.googleapis.com recaptchaenterprise.googleapis.com firestore.googleapis.com securetoken.googleapis.com
login.microsoftonline.com management.azure.com acme.blob.core.windows.net acme.documents.azure.com acme.search.windows.net portal.azure.com dev.azure.com
ai.azure.com.evil.example mcp.azure.com objectstorage.us-chicago-1.oraclecloud.com iaas.us-ashburn-1.oraclecloud.com identity.us-phoenix-1.oraclecloud.com
obs.cn-north-4.myhuaweicloud.com ecs.cn-north-4.myhuaweicloud.com iam.myhuaweicloud.com ncloud.com www.ncloud.com api.hetzner.cloud www.hetzner.com console.hetzner.cloud
www.ovh.com api.ovh.com storage.gra.cloud.ovh.net api.digitalocean.com api.vultr.com www.ondemand.com acme.hana.ondemand.com accounts.sap.com www.sap.com

timescale.com www.timescale.com tailscale.com login.tailscale.com planetscale.com upscale.com grayscale.com freescale.com autoscale.com plex.tv www.plex.tv
welcomet.com starcomet.com mycomet.com thecomet.co.uk comets.com bigravity.com basemilvus.io notmilvus.io hypersalad.com saladworks.com justsalad.com
getmodal.com modals.com timodal.com neptunes.ai myneptune.ai laminar.com laminarmedica.com lambda.com mathlambda.com lambdatest.com gammalambda.ai
skypes.com exa.com texa.ai megaexa.ai hexa.ai fal.com falcon.com netfal.ai hume.com humes.ai exhume.ai anam.com panam.ai banam.ai rime.com crime.ai prime.ai
sprime.ai cartesian.com descartes.com rev.com.example unrev.ai regal.com kore.com score.ai encore.ai vapi.com rovapi.ai fin.com rafin.ai finai.com sierra.com
sierra.co thesierra.ai decagons.com undecagon.ai witness.com eyewitness.ai poly.com monopoly.ai parlor.com rasa.org sarasa.com tavis.com tavilyx.com
dust.com stardust.tv tako.co.jp shitako.com steel.com mysteel.dev kernel.org www.kernel.org beam.ai.example moonbeam.cloud jan.com trojan.ai sim.com visim.ai
unify.com reunify.ai graphite.com graphite.rs mygraphite.dev vast.com devast.ai bland.co gobland.ai nomic.com economic.ai astronomic.ai latitude.com latitude.sh
mem0.com braintrust.com braintrustdata.com thegrid.com offthegrid.ai clear.com unclear.ml nuclear.ml qdrant.com vespa.com vespa.org piaggio-vespa.ai arize.co
solarize.com summarize.com polarize.com linearize.com gladia.com encord.co concord.com accord.ai v7.com hopsworks.com roboflows.com microflow.com warp.com timewarp.dev
composio.com smithery.com glama.com inglama.ai mcp.com pulsemcp.org agno.org magno.com champagno.com letta.org violetta.com scarletta.com bettaletta.com
firecrawl.com browserbase.org e2b.com daytona.com visitdaytona.com datadaytona.io lightning.com lightning.network mylightning.ai crusoe.com robinsoncrusoe.ai
`

// TestNeighbours says that what stands beside the services does not count as use of one.
func TestNeighbours(t *testing.T) {
	c := embeddedCatalogue(t)
	hosts := strings.Fields(neighbours)
	if len(hosts) < 300 {
		t.Fatalf("%d names; the list has lost some", len(hosts))
	}
	for _, host := range hosts {
		for _, name := range []string{host, strings.ToUpper(host), host + "."} {
			if hit, ok := c.Match([]byte(name)); ok && hit.Use() {
				t.Errorf("%s counts as use of %s, by %s", name, hit.Service.ID, hit.Name.Name)
			}
		}
	}
}
